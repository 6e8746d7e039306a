"""What scaling to floats costs in memory."""

from __future__ import annotations

from typing import ClassVar

from workbench.core.language import N_
from workbench.lessons.base import Prediction


class GreyLevelsAsFloats(Prediction):
    """A grey level is a byte, a float32 four."""

    text: ClassVar[str] = N_(
        "Grey levels from 0 to 255 become float32 from 0 to 1. How much memory do the images take?"
    )
    choices: ClassVar[tuple[str, ...]] = (N_("the same"), N_("twice as much"), N_("four times as much"))
    answer: ClassVar[int] = 2
    why: ClassVar[str] = N_("A byte becomes four. So data sets stay bytes, and only the batch at hand is scaled.")
