"""Zeros take as long as other weights."""

from __future__ import annotations

from typing import ClassVar

from workbench.core.language import N_
from workbench.lessons.base import Prediction


class ZerosInACall(Prediction):
    """Pruning by magnitude makes no call faster on a CPU."""

    text: ClassVar[str] = N_("Four of five weights are zero. How much faster does the model answer?")
    choices: ClassVar[tuple[str, ...]] = (N_("five times"), N_("about twice"), N_("not at all"))
    answer: ClassVar[int] = 2
    why: ClassVar[str] = N_(
        "A processor multiplies by zero as fast as by anything else, and finding the zeros would take longer than that."
        " Faster are fewer channels, smaller networks, or smaller numbers."
    )
