"""The exercise of the tutorial on compression."""

from __future__ import annotations

import math

import numpy as np
import pytest

import workbench as wb

RIGHT = -0.8 * math.log2(0.8) - 0.2 * math.log2(0.2 / 16)


def told(answer: object, capsys: pytest.CaptureFixture[str]) -> str:
    wb.check("bits_of_a_weight", answer)
    return capsys.readouterr().out


def test_shannons_sum_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    shares = np.array([0.8, *[0.2 / 16] * 16])
    assert "Right." in told(-(shares * np.log2(shares)).sum(), capsys)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (math.log2(17), "alike in frequency"),
        (4, "no zero beside them"),
        (-0.2 * math.log2(0.2 / 16), "The zeros take a share"),
        (-0.8 * math.log2(0.8) - 0.0125 * math.log2(0.0125), "each adds to the sum"),
        (-RIGHT, "wrong sign"),
        (RIGHT * math.log(2), "base 2"),
        (32, "32.000 is not the sum"),
        ("many", "cannot be judged"),
    ],
)
def test_a_wrong_number_is_told_why(answer: object, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = told(answer, capsys)
    assert says in said
    assert "1.5" not in said
