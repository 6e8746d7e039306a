"""TensorFlow Serving's URLs: what a method and a path ask for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from workbench.serve.models import Target
from workbench.serve.status import RequestError, invalid

_WHO = r"/v1/models{name}(?:/versions/([0-9]+)|/labels/([^/:]+))?"
_INFER = re.compile(_WHO.format(name=r"/([^/:]+)") + r":(classify|regress|predict)", re.IGNORECASE)
_READ = re.compile(_WHO.format(name=r"(?:/([^/:]+))?") + r"(?:/(metadata))?", re.IGNORECASE)
# As in the original a URL is matched in any case, but only these spellings of its last word mean what they say.
_VERBS = ("classify", "regress", "predict")
_MAX_INT64 = (1 << 63) - 1


@dataclass(frozen=True)
class Route:
    """What is asked (`predict`, `classify`, `regress`, `status`, `metadata`) and of whom."""

    verb: str
    target: Target


def route(method: str, path: str) -> Route:
    """Read a request line.

    Args:
        method: HTTP method.
        path: Path as it was sent, percent-encoded, without the query.

    Raises:
        RequestError: INVALID_ARGUMENT, no such URL.
    """
    if method == "POST" and (match := _INFER.fullmatch(path)):
        target = _target(match)
        if match[4] in _VERBS:
            return Route(match[4], target)
    if method == "GET" and (match := _READ.fullmatch(path)):
        if match[1] is None:
            raise invalid("Missing model name in request.")
        return Route("metadata" if match[4] == "metadata" else "status", _target(match))
    raise malformed(method, path)


def malformed(method: str, path: str) -> RequestError:
    """Return the error for a URL that is none of ours."""
    return invalid(f"Malformed request: {method} {path}")


def _target(match: re.Match[str]) -> Target:
    name, version, label = match[1], match[2], match[3]
    if version is not None and (len(version) > len(str(_MAX_INT64)) + 64 or int(version) > _MAX_INT64):
        raise invalid(f"Failed to convert version: {version[:64]} to numeric.")
    return Target(
        name=unquote(name),
        version=None if version is None else int(version),
        label=None if label is None else unquote(label),
    )
