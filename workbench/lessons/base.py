"""What an exercise and a question are: each a file of its own, named as notebooks name it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from workbench.core.plugins import Registry


class Exercise(ABC):
    """Something to do; its answer is judged."""

    @abstractmethod
    def fault(self, answer: Any) -> str:
        """Return what is wrong with an answer in one sentence that does not give the answer away; empty if nothing."""


class Prediction:
    """Something to predict before one looks.

    Attributes:
        text: What is asked.
        choices: What can be answered.
        answer: Index of the right choice.
        why: Said with it.
    """

    text: ClassVar[str]
    choices: ClassVar[tuple[str, ...]]
    answer: ClassVar[int]
    why: ClassVar[str]


EXERCISES: Registry[Exercise] = Registry(
    kind="exercises",
    package="workbench.lessons.exercises",
    base=Exercise,  # type: ignore[type-abstract]
)
QUESTIONS: Registry[Prediction] = Registry(kind="questions", package="workbench.lessons.questions", base=Prediction)
