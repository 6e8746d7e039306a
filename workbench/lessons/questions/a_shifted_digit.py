"""What a convolution makes of a digit that has moved."""

from __future__ import annotations

from typing import ClassVar

from workbench.core.language import N_
from workbench.lessons.base import Prediction


class AShiftedDigit(Prediction):
    """The same nine numbers everywhere give the same answer elsewhere."""

    text: ClassVar[str] = N_("A digit moves one pixel to the right, away from the edge. What happens to the output?")
    choices: ClassVar[tuple[str, ...]] = (
        N_("a convolution's moves along, a dense layer's becomes another one"), N_("both move along by one pixel"),
        N_("neither changes: it is the same digit"),
    )  # fmt: skip
    answer: ClassVar[int] = 0
    why: ClassVar[str] = N_(
        "A convolution has the same weights at each place. A dense layer has weights of its own for each pixel, and "
        "what it learnt about one place says nothing about the next."
    )
