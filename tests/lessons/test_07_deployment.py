"""The exercise of the tutorial on deployment."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb

IMAGE = np.zeros((8, 8, 1), np.float32)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"instances": [IMAGE.tolist()]}, "Right."),
        ({"instances": IMAGE[None]}, "lists can"),
        ({"instances": IMAGE.tolist()}, "also of one"),
        ({"instances": [[0.0, 1.0]]}, "height, width and channels"),
        ({"instances": [IMAGE.tolist(), IMAGE.tolist()]}, "asks for 2 samples"),
        ({"images": [IMAGE.tolist()]}, "got images"),
        ({}, "got {}"),
        ([IMAGE.tolist()], "must be a dictionary, got list"),
    ],
)
def test_the_body_is_judged(answer: object, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    wb.check("body_of_a_request", answer)
    assert says in capsys.readouterr().out
