"""Sweeps that are there already, and what they were asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.artifact import Artifact
from workbench.core.errors import WorkbenchError
from workbench.core.workspace import digest
from workbench.panels.parts.chosen_data import chosen_by
from workbench.panels.parts.sweep_axes import axes_in
from workbench.sweep.folder import sweep_folders

if TYPE_CHECKING:
    from workbench.core.workspace import Workspace
    from workbench.sweep.folder import SweepFolder
    from workbench.sweep.handle import Sweep


def newest(workspace: Workspace) -> str:
    """Return the name of the sweep that was last worked on; "" where there is none."""
    return next((folder.name for folder in sweep_folders(workspace) if _compresses(folder)), "")


def plan_of(handle: Sweep) -> dict[str, Any]:
    """Return the plan's settings that ask for a sweep; nothing where clicks do not make its space."""
    asked, settings = handle.folder.asked(), handle.settings
    found = axes_in(asked["space"])
    if found is None:
        return {}
    name = f"{asked['dataset']['name']}-{digest(asked)[:8]}"
    return {
        **found,
        "artifact": asked["parent"]["folder"] if asked["parent"] else "",
        "dataset": chosen_by(asked["dataset"], handle.workspace),
        "search": settings.search,
        "trials": settings.trials,
        "repeats": max(1, len(settings.seeds)),
        "runs": settings.runs,
        "share_trajectory": settings.share_trajectory,
        "name": None if handle.name == name else handle.name,
    }


def can_be_swept(folder: str) -> bool:
    """Say whether the model in a folder can be fine-tuned, so that a sweep may begin with it."""
    try:
        return bool(folder) and Artifact.load(folder).format == "tf_keras"
    except WorkbenchError:
        return False


def _compresses(folder: SweepFolder) -> bool:
    try:
        return "tuning" not in folder.asked()
    except WorkbenchError:
        return False
