"""Which versions of a model are on disk."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

from workbench.serve.config.model_config import MAX_VERSION, ModelConfig, Specific

Fingerprint = tuple[tuple[str, int, int], ...]
"""Name, size and time of change of each file of a version."""

_NUMBER = re.compile(r"[0-9]{1,64}")
_log = logging.getLogger(__name__)


def version_of(name: str) -> int | None:
    """Return the version a folder's name means; leading zeros do not count, what is no int64 is no version."""
    if not _NUMBER.fullmatch(name):
        return None
    version = int(name)
    return version if version <= MAX_VERSION else None


def versions_in(base: Path) -> tuple[dict[int, Path], list[str]]:
    """Look into a model's folder.

    Args:
        base: The folder.

    Returns:
        The folder of each version, oldest first, and what is odd, in sentences. Of two folders that mean the same
        number the one whose name sorts last wins, as in TensorFlow Serving.

    Raises:
        OSError: It cannot be read.
    """
    found: dict[int, Path] = {}
    odd = []
    for path in sorted(base.iterdir()):
        version = version_of(path.name)
        if version is None or not path.is_dir():
            continue
        if version in found:
            odd.append(f"version {version} is loaded from {path.name}, {found[version].name} is ignored")
        found[version] = path
    return dict(sorted(found.items())), odd


def fingerprint(folder: Path) -> Fingerprint:
    """Return what changes when a version's files do; a file that vanishes meanwhile is left out."""
    found = []
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            try:
                status = path.stat()
            except OSError:
                continue
            found.append((str(path.relative_to(folder)), status.st_size, status.st_mtime_ns))
    return tuple(sorted(found))


class Source:
    """A model's folder, looked at again and again; what is odd is logged once, not at every look."""

    def __init__(self) -> None:
        self._said: list[str] = []

    def look(self, config: ModelConfig) -> dict[int, Path] | None:
        """Return the versions that the model's policy wants, or None where the folder cannot be read now.

        A folder that is gone may come back (a network disk); what is served goes on meanwhile.
        """
        try:
            found, said = versions_in(Path(config.base_path))
        except OSError as error:
            self._say(config, [f"could not find base path {config.base_path} ({error.strerror})"])
            return None
        wanted = {version: found[version] for version in config.policy.chosen(found)}
        if isinstance(config.policy, Specific):
            missing = sorted(set(config.policy.versions) - found.keys())
            said += [f"version {version} was asked for and is not in {config.base_path}" for version in missing]
        if not wanted:
            said.append(f"no versions found under {config.base_path}; a version is a folder named by a number")
        self._say(config, said)
        return wanted

    def _say(self, config: ModelConfig, sentences: list[str]) -> None:
        for sentence in sentences:
            if sentence not in self._said:
                _log.warning("%s: %s", config.name, sentence)
        self._said = sentences
