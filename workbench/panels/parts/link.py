"""What is chosen as the query of a link, so that a colleague opens the same view."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from workbench.core.errors import BadInputError
from workbench.panels.parts.chosen_data import known

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from workbench.core.workspace import Workspace

NAMES = ("dataset", "artifact", "sweep", "server", "place")

_PATHS = ("dataset", "artifact")  # what is no name is a folder of the workspace
_MOST = 512


def written(chosen: Mapping[str, str], workspace: Workspace) -> str:
    """Return the query of a link, such as `?sweep=first&artifact=runs/…/result`; what lies elsewhere is left out."""
    said = {}
    for name in NAMES:
        value = chosen.get(name, "")
        if name in _PATHS and value and value not in known():
            value = _relative(value, workspace.home)
        if value:
            said[name] = value
    return f"?{urlencode(said, safe='/')}" if said else ""


def opened(query: str, workspace: Workspace) -> dict[str, str]:
    """Return what a link says, for a session; whatever else stands in it is not ours and left alone.

    Raises:
        BadInputError: It means nothing of this workspace.
    """
    said = {name: value for name, value in parse_qsl(query.removeprefix("?")) if name in NAMES and value}
    for name, value in said.items():
        if len(value) > _MOST or not value.isprintable():
            raise _unknown(name, value[:80])
        if name == "sweep":
            _inside(name, value, workspace.sweeps, workspace.sweeps)
        elif name == "server":
            workspace.run(value)
        elif name in _PATHS and not (name == "dataset" and value in known()):
            said[name] = str(_inside(name, value, workspace.home, workspace.home))
    return said


def _inside(name: str, value: str, base: Path, wall: Path) -> Path:
    folder = base / value
    if not folder.resolve().is_relative_to(wall.resolve()) or not folder.is_dir():
        raise _unknown(name, value)
    return folder


def _relative(value: str, home: Path) -> str:
    from pathlib import Path

    path = Path(value)
    return path.relative_to(home).as_posix() if path.is_relative_to(home) else ""


def _unknown(name: str, value: str) -> BadInputError:
    return BadInputError.of(
        name,
        rule="of this link must be in this workspace",
        got=value,
        hint="ask who sent it for the workspace it means",
    )
