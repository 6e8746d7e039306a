"""Judge an answer."""

from __future__ import annotations

from typing import Any

from workbench.core.language import _
from workbench.lessons.base import EXERCISES


def check(exercise: str, answer: Any) -> None:
    """Print whether an answer to an exercise is right, or what is wrong with it; `...` is no answer yet.

    Whatever is given as an answer, the notebook goes on.

    Raises:
        BadInputError: There is no exercise of that name.
    """
    asked = EXERCISES.get(exercise)()
    print(f"{exercise}: {_told(asked.fault, answer)}")


def _told(fault: Any, answer: Any) -> str:
    if answer is ...:
        return _("put your answer in place of the three dots.")
    try:
        return fault(answer) or _("Right.")
    except Exception as error:  # noqa: BLE001 - whatever a reader gives is theirs to mend
        return _("It cannot be judged: {error}").format(error=f"{type(error).__name__}: {error}")
