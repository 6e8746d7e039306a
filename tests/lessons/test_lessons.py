"""Exercises tell what is wrong and never what is right; questions tell what is right to those who have predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from workbench.core import language
from workbench.core.errors import BadInputError
from workbench.core.records import Evaluation, Proportion
from workbench.lessons import EXERCISES, QUESTIONS, check, question

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def chinese() -> Iterator[None]:
    language.set_language("zh_CN")
    yield
    language.set_language("en")


def evaluation(model: str, checksum: str = "same") -> Evaluation:
    share = Proportion(value=1, low=0.5, high=1, successes=3, total=3)
    return Evaluation(
        model=model, dataset="digits", checksum=checksum, split="test", accuracy=share, log_loss=0,
        calibration_error=0, classes=(), confusion=(), calibration=(), correct="111",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (..., "put your answer in place of the three dots."),
        (0.98, "Give two things"),
        ((0.98, 0.97), "Both must be what wb.evaluate returns."),
        ((evaluation("a"), evaluation("a")), "Both are of the same model file"),
        ((evaluation("a"), evaluation("b", "other")), "They are of different images"),
        ((evaluation("a"), evaluation("b")), "Right."),
    ],
)
def test_an_answer_is_judged_in_one_sentence(answer: Any, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    check("before_and_after", answer)
    said = capsys.readouterr().out
    assert said.startswith(f"before_and_after: {told}")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (np.eye(3)[[2, 0]], "Right."),
        (np.eye(3)[[0, 2]], "Row 0 has its 1 in the wrong column."),
        (np.eye(3)[[2]], "There must be one row a label, got the shape (1, 3)."),
        (np.eye(3, dtype=int)[[2, 0]], "The rows must be floats, got int64."),
        (np.full((2, 3), 1 / 3), "Each row must hold a single 1 and else 0."),
    ],
)
def test_one_hot_rows_are_judged(rows: Any, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    check("one_hot", (np.array([2, 0]), rows))
    assert capsys.readouterr().out == f"one_hot: {told}\n"


class Broken:
    """What cannot even be compared."""

    def __class_getitem__(cls, _key: object) -> None:
        raise KeyError("never")

    def __eq__(self, other: object) -> bool:
        raise ArithmeticError("no such thing")

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize("name", EXERCISES.names())
@pytest.mark.parametrize("answer", [None, "", -1, (), [[]], {}, Broken(), (Broken(), Broken()), evaluation])
def test_whatever_is_given_a_notebook_goes_on(name: str, answer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    check(name, answer)
    said = capsys.readouterr().out
    assert said.startswith(f"{name}: ")
    assert "Right." not in said


def test_an_exercise_that_there_is_not_is_named() -> None:
    with pytest.raises(BadInputError, match="exercise must be one of"):
        check("no_such", 1)


@pytest.mark.parametrize("name", QUESTIONS.names())
@pytest.mark.usefixtures("chinese")
def test_a_question_has_its_answer_among_its_choices_in_each_language(name: str) -> None:
    there = question(name)
    assert there.answer in there.choices
    assert len(set(there.choices)) == len(there.choices) > 1
    assert there.text != QUESTIONS.get(name).text
    there.close()
