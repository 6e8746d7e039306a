"""How many labels a conversion changed."""

from __future__ import annotations

from typing import Any

from workbench.core.artifact import Artifact
from workbench.core.language import _
from workbench.lessons.base import Exercise

_HALF = 0.51  # what a tie counts, which may be rounded up or down


class LabelsThatChanged(Exercise):
    """A pair: an int8 ONNX model, and the compared samples with another label."""

    def fault(self, answer: Any) -> str:
        """Return what is wrong with the model or the number."""
        if not (isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[0], Artifact)):  # noqa: PLR2004
            return _("Give two things: (the converted model, how many labels changed).")
        made, count = answer
        if (made.format, made.numeric) != ("onnx", "int8"):
            return _("The model must be ONNX with int8, got {model}.").format(model=f"{made.format}/{made.numeric}")
        return _wrong(made.metrics["parity"], float(count))


def _wrong(parity: dict[str, Any], count: float) -> str:
    changed = parity["samples"] * (1 - parity["agreement"])
    if abs(count - changed) <= _HALF:
        return ""
    if 0 < count < 1:
        return _("That is a share; how many of the samples is it?")
    if abs(count - (parity["samples"] - changed)) <= _HALF:
        return _("That is how many kept their label.")
    return _("{count} do not make up the share that did not agree.").format(count=f"{count:g}")
