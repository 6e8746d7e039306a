"""The best of many trials looks better than it is."""

from __future__ import annotations

from typing import ClassVar

from workbench.core.language import N_
from workbench.lessons.base import Prediction


class BestOfMany(Prediction):
    """What is chosen by a figure is judged too well by that figure."""

    text: ClassVar[str] = N_(
        "Many trials are compared on the same validation images, and the best is chosen. On new images, its accuracy"
        " will most likely be"
    )
    choices: ClassVar[tuple[str, ...]] = (N_("lower than that"), N_("just that"), N_("higher than that"))
    answer: ClassVar[int] = 0
    why: ClassVar[str] = N_(
        "Each trial's figure is its true accuracy plus luck, and the best of many had luck on its side. A single look"
        " can still go either way: that is what intervals are for."
    )
