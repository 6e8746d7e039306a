"""Points that were fine-tuned and measured, and what can be read between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.compress.preview.estimate import estimated

if TYPE_CHECKING:
    from workbench.core.records import EstimatedAccuracy, PreviewAnswer, Proportion
    from workbench.panels.parts.compression_plan import CompressionPlan

_LINE = ("scope", "sparsity_by_layer", "clusters", "weight_bits")


class KnownPoints:
    """Measured accuracies by sparsity; only points that differ in nothing else are compared."""

    def __init__(self) -> None:
        self._lines: dict[str, list[tuple[float, Proportion]]] = {}
        self._itself: Proportion | None = None

    def begin(self, itself: PreviewAnswer) -> None:
        """Forget all: another model is looked at."""
        self._lines, self._itself = {}, itself.accuracy

    def add(self, plan: CompressionPlan, accuracy: Proportion) -> None:
        """Take in a point."""
        self._lines.setdefault(_line(plan.model_dump()), []).append((plan.sparsity, accuracy))

    def estimate(self, answer: PreviewAnswer) -> EstimatedAccuracy | None:
        """Return what fine-tuning would reach where an answer is; None where no point is known."""
        line = _line(answer.settings)
        points = self._lines.get(line, [])
        if not points:
            return None
        values = answer.settings
        if self._itself is not None and values["clusters"] is None and values["weight_bits"] is None:
            points = [(0.0, self._itself), *points]
        return estimated(points, values["sparsity"])


def _line(values: dict[str, Any]) -> str:
    return str([values[name] for name in _LINE])
