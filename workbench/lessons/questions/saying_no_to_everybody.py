"""Accuracy where one class is rare."""

from __future__ import annotations

from typing import ClassVar

from workbench.core.language import N_
from workbench.lessons.base import Prediction


class SayingNoToEverybody(Prediction):
    """A model that finds nobody can be very accurate."""

    text: ClassVar[str] = N_("One of a hundred people is ill. A model says 'healthy' to everybody. How accurate is it?")
    choices: ClassVar[tuple[str, ...]] = (N_("1 %"), N_("50 %"), N_("99 %"))
    answer: ClassVar[int] = 2
    why: ClassVar[str] = N_(
        "It is right about the 99 healthy ones, and it finds not one who is ill: its recall of that class is 0. That is"
        " why a gate can ask for the worst class."
    )
