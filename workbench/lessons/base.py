"""What an exercise and a question are: each a file of its own, named as notebooks name it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from workbench.core.plugins import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping


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


class Drawn(NamedTuple):
    """What a demonstration shows at one position of its sliders.

    Attributes:
        figure: `data` and `layout` as plotly takes them, in the colours of a light page.
        told: One line: the formula with the numbers in it.
        numbers: What was computed, by its symbol.
    """

    figure: dict[str, Any]
    told: str
    numbers: dict[str, float]


class Demonstration(ABC):
    """A formula that is moved by sliders; it is computed at once, in the kernel.

    Attributes:
        title: What is shown.
        sliders: As `widgets.Slider` takes them, each with the value where it starts (`start`).
    """

    title: ClassVar[str]
    sliders: ClassVar[tuple[Mapping[str, Any], ...]]

    @abstractmethod
    def draw(self, values: Mapping[str, float]) -> Drawn:
        """Compute and draw what is so at these values, one a slider."""


EXERCISES: Registry[Exercise] = Registry(
    kind="exercises",
    package="workbench.lessons.exercises",
    base=Exercise,  # type: ignore[type-abstract]
)
QUESTIONS: Registry[Prediction] = Registry(kind="questions", package="workbench.lessons.questions", base=Prediction)
FIGURES: Registry[Demonstration] = Registry(
    kind="figures",
    package="workbench.lessons.figures",
    base=Demonstration,  # type: ignore[type-abstract]
)
