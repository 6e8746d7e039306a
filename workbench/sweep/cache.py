"""Points by their content: what one sweep measured, another one need not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.artifact import Artifact
from workbench.core.errors import WorkbenchError
from workbench.core.records import PointSeconds, SweepPoint, read_record
from workbench.core.workspace import write_json

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.workspace import Workspace
    from workbench.sweep.plan import Plan


def find(workspace: Workspace, plan: Plan) -> SweepPoint | None:
    """Return a finished point that answers a plan, under the plan's own label and values, if its file is whole."""
    path = _path(workspace, plan.key)
    if not path.is_file():
        return None
    try:
        point = read_record(path, SweepPoint)
        assert point.variant is not None
        Artifact.load(point.variant.artifact).verify(point.sha256)
    except (WorkbenchError, AssertionError):  # damaged or deleted; it is made anew
        return None
    named = point.variant.model_copy(update={"name": plan.label})
    # It costs this sweep nothing.
    return point.model_copy(update={**plan.facts, "variant": named, "seconds": PointSeconds()})


def remember(workspace: Workspace, point: SweepPoint) -> None:
    """Let a finished point answer the same question from now on.

    Raises:
        WorkspaceError: The disk refused it.
    """
    write_json(_path(workspace, point.key), point.to_json())


def _path(workspace: Workspace, key: str) -> Path:
    return workspace.cache / "points" / f"{key}.json"
