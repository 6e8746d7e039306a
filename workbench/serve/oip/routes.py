"""The protocol's URLs: what a method and a path ask for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from workbench.serve.models import Target
from workbench.serve.status import not_found

_NAME = r"/([^/]+)"
_MODEL = re.compile(rf"/v2/models{_NAME}(?:/versions/([0-9]{{1,19}}))?(?:/(infer|ready))?")
_REPOSITORY = re.compile(rf"/v2/repository/models{_NAME}/(load|unload)")
_FIXED = {
    "/v2": ("GET", "server"),
    "/v2/health/live": ("GET", "live"),
    "/v2/health/ready": ("GET", "server_ready"),
    "/v2/models": ("GET", "models"),
    "/v2/repository/index": ("POST", "index"),
}
_METHODS = {"metadata": "GET", "ready": "GET", "infer": "POST", "load": "POST", "unload": "POST"}


class MethodError(Exception):
    """There is such a URL, but for another method, `allowed`."""

    def __init__(self, allowed: str) -> None:
        super().__init__(allowed)
        self.allowed = allowed


@dataclass(frozen=True, slots=True)
class Route:
    """What is asked, and of which model.

    Attributes:
        verb: `server`, `live`, `server_ready`, `models`, `index`, `metadata`, `ready`, `infer`, `load` or `unload`.
        target: Whom; an empty name where it is no model.
    """

    verb: str
    target: Target


_NOBODY = Target("")


def route(method: str, path: str) -> Route:
    """Read a request line.

    Args:
        method: HTTP method.
        path: Path as it was sent, percent-encoded, without the query.

    Raises:
        RequestError: NOT_FOUND, no such URL.
        MethodError: It is for another method.
    """
    if match := _MODEL.fullmatch(path):
        verb = match[3] or "metadata"
        found = Route(verb, Target(unquote(match[1]), None if match[2] is None else int(match[2])))
    elif path in _FIXED:
        allowed, verb = _FIXED[path]
        if method != allowed:
            raise MethodError(allowed)
        return Route(verb, _NOBODY)
    elif match := _REPOSITORY.fullmatch(path):
        found = Route(match[2], Target(unquote(match[1])))
    else:
        raise not_found("Not Found")
    if method != _METHODS[found.verb]:
        raise MethodError(_METHODS[found.verb])
    return found
