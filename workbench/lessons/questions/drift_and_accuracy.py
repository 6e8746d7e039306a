"""What a drift alarm says, and what it does not."""

from __future__ import annotations

from typing import ClassVar

from workbench.core.language import N_
from workbench.lessons.base import Prediction


class DriftAndAccuracy(Prediction):
    """Drift is about inputs, accuracy needs labels."""

    text: ClassVar[str] = N_("The inputs drift, and nobody has labels yet. What can be known now?")
    choices: ClassVar[tuple[str, ...]] = (
        N_("that the inputs look different, and in what"), N_("how much accuracy was lost"),
        N_("nothing, before labels come"),
    )  # fmt: skip
    answer: ClassVar[int] = 0
    why: ClassVar[str] = N_(
        "Inputs can be compared with those of before without any label. Whether the answers became worse is only told"
        " by the truth: some models bear a drift well."
    )
