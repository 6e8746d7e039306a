"""Which loss moves a neuron that is far wrong."""

from __future__ import annotations

from typing import ClassVar

from workbench.core.language import N_
from workbench.lessons.base import Prediction


class AWrongNeuron(Prediction):
    """At the flat end of the sigmoid one loss has hardly a slope."""

    text: ClassVar[str] = N_("A sigmoid neuron gives 0.99 where 0 is right. Under which loss is its first step longer?")
    choices: ClassVar[tuple[str, ...]] = (
        N_("half the squared error"), N_("cross-entropy"), N_("both alike: the output is as far off under either"),
    )  # fmt: skip
    answer: ClassVar[int] = 1
    why: ClassVar[str] = N_(
        "The squared error comes back through the slope of the sigmoid, which is next to nothing out there. In the "
        "cross-entropy that slope cancels, and only the distance remains."
    )
