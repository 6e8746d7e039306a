"""Points that a panel had fine-tuned and measured, kept in the workspace so that a later page finds them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from workbench.core.errors import WorkbenchError
from workbench.core.records import Proportion, Sizes
from workbench.core.workspace import digest, read_json, write_json
from workbench.panels.parts.compression_plan import CompressionPlan

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.artifact import Artifact
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset

_FOLDER = "tuned"


class TunedPoint(NamedTuple):
    """What was asked for, and what came of it."""

    plan: CompressionPlan
    accuracy: Proportion
    sizes: Sizes


def keep_point(point: TunedPoint, model: Artifact, data: Dataset, workspace: Workspace) -> None:
    """Write a point down; the same one again replaces itself.

    Args:
        point: What was made.
        model: What it was made from.
        data: What it was measured on.
        workspace: Where it is kept.

    Raises:
        WorkspaceError: The disk refused it.
    """
    # A model is the same wherever its folder lies.
    plan = point.plan.model_dump(mode="json", exclude={"artifact"})
    kept = {"plan": plan, "accuracy": point.accuracy.to_json(), "sizes": point.sizes.to_json()}
    write_json(_folder(model, data, workspace) / f"{digest(plan)}.json", kept)


def kept_points(model: Artifact, data: Dataset, workspace: Workspace) -> tuple[TunedPoint, ...]:
    """Return the points that are known of a model on some data; one that is damaged is left out."""
    found = []
    for path in sorted(_folder(model, data, workspace).glob("*.json")):
        with contextlib.suppress(WorkbenchError, KeyError, TypeError, ValueError):
            kept = read_json(path)
            plan = CompressionPlan.parse(kept["plan"])
            found.append(TunedPoint(plan, Proportion.from_json(kept["accuracy"]), Sizes.from_json(kept["sizes"])))
    return tuple(found)


def _folder(model: Artifact, data: Dataset, workspace: Workspace) -> Path:
    return workspace.cache / _FOLDER / digest([model.sha256, data.checksum])
