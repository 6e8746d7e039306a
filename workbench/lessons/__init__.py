"""What the tutorial notebooks ask of their readers, and how an answer is judged.

`check("name of an exercise", answer)` says what is wrong with an answer, and never what is right;
`question("name of a question")` lets one predict before one looks; `figure("name of a figure")` is a formula to move by
hand; `pace(30, 5)` is 5 where notebooks must be quick.
"""

from workbench.lessons.base import EXERCISES, FIGURES, QUESTIONS
from workbench.lessons.check import check
from workbench.lessons.live_figure import figure
from workbench.lessons.pace import pace
from workbench.lessons.question import question

__all__ = ["EXERCISES", "FIGURES", "QUESTIONS", "check", "figure", "pace", "question"]
