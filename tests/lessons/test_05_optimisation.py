"""The exercise of the tutorial on optimisation."""

from __future__ import annotations

import pytest

import workbench as wb


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (3 * 4 * 2 * 5 + 1, "Right."),
        (9, "combined"),
        (24, "more than once"),
        (120, "refit"),
        (7, "7 is neither"),
        ("all", "cannot be judged"),
    ],
)
def test_the_trainings_of_a_grid_are_counted(answer: object, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    wb.check("trainings_of_a_grid", answer)
    assert says in capsys.readouterr().out
