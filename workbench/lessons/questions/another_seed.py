"""How much of an accuracy is the seed's."""

from __future__ import annotations

from typing import ClassVar

from workbench.core.language import N_
from workbench.lessons.base import Prediction


class AnotherSeed(Prediction):
    """Two seeds give two models, and two accuracies."""

    text: ClassVar[str] = N_("The same network is trained again on the same images, with another seed. What comes out?")
    choices: ClassVar[tuple[str, ...]] = (
        N_("the same accuracy, to the last digit"), N_("another one; some tenths of a percent or more apart"),
        N_("the same on training images, another on test images"),
    )  # fmt: skip
    answer: ClassVar[int] = 1
    why: ClassVar[str] = N_(
        "Other first weights and another order lead elsewhere. With the same seed every digit is the same again."
    )
