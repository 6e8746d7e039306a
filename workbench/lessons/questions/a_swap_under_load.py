"""A model is changed while clients ask."""

from __future__ import annotations

from typing import ClassVar

from workbench.core.language import N_
from workbench.lessons.base import Prediction


class ASwapUnderLoad(Prediction):
    """The new version answers before the old one goes."""

    text: ClassVar[str] = N_("A new version is published while clients ask without a pause. How many requests fail?")
    choices: ClassVar[tuple[str, ...]] = (
        N_("those that are under way"), N_("those of the moment in which it loads"), N_("none"),
    )  # fmt: skip
    answer: ClassVar[int] = 2
    why: ClassVar[str] = N_(
        "The new version is loaded and warmed up beside the old one. Then new requests go to it, and the old one leaves"
        " when it has answered those that it began."
    )
