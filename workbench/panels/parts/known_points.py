"""Points that were fine-tuned and measured, here or in sweeps, and what can be read between them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.compress.preview.estimate import estimated
from workbench.core.errors import WorkbenchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from workbench.core.records import EstimatedAccuracy, PreviewAnswer, Proportion, SweepPoint
    from workbench.core.workspace import Workspace
    from workbench.panels.parts.compression_plan import CompressionPlan

_FOUR = 4
_FLOAT = "float32"


class Line(NamedTuple):
    """What points have in common that differ in their sparsity only; `numeric` is what the weights are stored as."""

    scope: str = "layer"
    by_layer: tuple[tuple[str, float], ...] = ()
    clusters: int | None = None
    numeric: str = _FLOAT

    @classmethod
    def of(cls, values: dict[str, Any]) -> Line:
        """Return the line of a position of the sliders, given as plain values."""
        bits = values["weight_bits"]
        numeric = _FLOAT if bits is None else "int4" if bits <= _FOUR else "dynamic"
        return cls(values["scope"], tuple(sorted(values["sparsity_by_layer"].items())), values["clusters"], numeric)


class KnownPoint(NamedTuple):
    """A measured accuracy: on which line, at which sparsity."""

    line: Line
    sparsity: float
    accuracy: Proportion


class KnownPoints:
    """Measured accuracies by sparsity; only points that differ in nothing else are compared."""

    def __init__(self) -> None:
        self._points: list[KnownPoint] = []

    def begin(self, itself: PreviewAnswer, swept: Iterable[KnownPoint]) -> None:
        """Forget all and take in what is known of another model: how it answers itself, and points of sweeps."""
        self._points = [KnownPoint(Line(scope), 0.0, itself.accuracy) for scope in ("layer", "global")]
        self._points += swept

    def add(self, plan: CompressionPlan, accuracy: Proportion) -> None:
        """Take in a point."""
        self._points.append(KnownPoint(Line.of(plan.model_dump()), plan.sparsity, accuracy))

    def estimate(self, answer: PreviewAnswer) -> EstimatedAccuracy | None:
        """Return what fine-tuning would reach where an answer is; None where no fine-tuned point is known."""
        line = Line.of(answer.settings)
        points = [(each.sparsity, each.accuracy) for each in self._points if each.line == line]
        if all(sparsity == 0 for sparsity, _ in points):
            return None
        return estimated(points, answer.settings["sparsity"])


def points_of_sweeps(sha256: str, workspace: Workspace) -> list[KnownPoint]:
    """Return the points that sweeps of the workspace have measured of a model, as far as sliders can say them."""
    from workbench.sweep.folder import sweep_folders

    found: list[KnownPoint] = []
    for folder in sweep_folders(workspace):
        # A sweep that is damaged is said to be so where it is opened.
        with contextlib.suppress(WorkbenchError, OSError):
            parent = folder.asked()["parent"]
            if parent is not None and parent["sha256"] == sha256:
                found += _sayable(folder.points().values())
    return found


def _sayable(points: Iterable[SweepPoint]) -> Iterator[KnownPoint]:
    for point in points:
        variant = point.variant
        steps = {step["method"]: step["settings"] for step in point.steps}
        if variant is None or steps.keys() - {"magnitude_pruning", "weight_clustering", "post_training"}:
            continue
        pruning, clustering = steps.get("magnitude_pruning", {}), steps.get("weight_clustering", {})
        if pruning.get("skip") or clustering.get("skip") or clustering.get("per_channel"):
            continue
        own = tuple(sorted(pruning.get("sparsity_by_layer", {}).items()))
        line = Line(pruning.get("scope", "layer"), own, clustering.get("clusters"), variant.numeric)
        yield KnownPoint(line, pruning.get("sparsity", 0.0), variant.accuracy)
