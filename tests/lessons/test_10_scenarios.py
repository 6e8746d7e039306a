"""The exercise of the tutorial on scenarios."""

from __future__ import annotations

import pytest

import workbench as wb


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (73, "Right."),
        (72, "72 the lower end is 94.93%: too low"),
        (74, "fewer will do"),
        (59, "too low"),
        (72.5, "whole number"),
        (0, "whole number above 0"),
        ("many", "cannot be judged"),
    ],
)
def test_the_patients_are_counted(answer: object, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    wb.check("patients_without_an_error", answer)
    assert says in capsys.readouterr().out
