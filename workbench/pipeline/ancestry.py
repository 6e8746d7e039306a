"""How a model came to be, as far as the workspace's runs know: what retraining it the same way takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.artifact import MANIFEST, Artifact
from workbench.core.errors import WorkbenchError
from workbench.core.workspace import read_json
from workbench.pipeline.settings import RoadSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.core.workspace import Workspace

_MADE_BY = ("train", "compress", "convert")
_LONGEST = 20


def road_to(artifact: Artifact, workspace: Workspace) -> RoadSettings:
    """Return the settings of a road like the one that an artifact came along.

    What no run knows of is as the road's defaults have it, but for the pruning: nothing is pruned then.
    """
    found: dict[str, Any] = {"sparsity": 0}
    for settings in (each.settings for each in ancestors(artifact, workspace)):
        if settings.get("method") == "magnitude_pruning" and not found["sparsity"]:
            found["sparsity"] = settings.get("sparsity", 0)
        if "architecture" in settings:
            found |= {name: settings[name] for name in ("architecture", "recipe", "epochs", "seed") if name in settings}
    try:
        return RoadSettings.parse(found)
    except WorkbenchError:  # made by something that has settings of other meaning
        return RoadSettings(sparsity=0)


def ancestors(artifact: Artifact, workspace: Workspace) -> Iterator[Artifact]:
    """Give an artifact, what it was made from, and so on, as far as the runs hold them."""
    known: dict[str, Artifact] | None = None
    for _ in range(_LONGEST):
        yield artifact
        if artifact.parent is None:
            return
        known = _made(workspace) if known is None else known
        if artifact.parent not in known:
            return
        artifact = known[artifact.parent]


def _made(workspace: Workspace) -> dict[str, Artifact]:
    found: dict[str, Artifact] = {}
    for run in workspace.list_runs():
        manifest = run / "result" / MANIFEST
        if run.name.split("-")[0] in _MADE_BY and manifest.is_file():
            try:
                found[read_json(manifest)["sha256"]] = Artifact.load(manifest.parent)
            except (WorkbenchError, KeyError, TypeError):  # of a run that died while it wrote
                continue
    return found
