"""Ask a question in a notebook."""

from __future__ import annotations

from workbench.core.language import _
from workbench.lessons.base import QUESTIONS
from workbench.widgets.question import Question


def question(name: str) -> Question:
    """Return a question as a widget: whoever reads predicts, and then sees what is right and why.

    Raises:
        BadInputError: There is no question of that name.
    """
    asked = QUESTIONS.get(name)
    choices = [_(choice) for choice in asked.choices]
    return Question(text=_(asked.text), choices=choices, answer=choices[asked.answer], why=_(asked.why))
