"""The exercise of the tutorial on monitoring."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, rotate

import workbench as wb


def blurred(images: Any) -> Any:
    return gaussian_filter(images, (0, 1, 1, 0))


def in_place(images: Any) -> Any:
    images *= 0.5
    return images


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda images: rotate(images, 30, axes=(2, 1), reshape=False, order=1), "Right."),
        (blurred, "Right."),
        (lambda images: 1 - images, "Right."),
        (lambda images: images, "hardly change"),
        (lambda images: images[:, ::2], "shape"),
        (lambda images: images * 255, "between 0 and 1"),
        (lambda images: (images * 0).astype(np.uint8), "floats"),
        (lambda images: images / 0, "cannot be judged"),
        (in_place, "let it return others"),
        (3, "Give a function"),
        (lambda: 3, "cannot be judged"),
    ],
)
def test_the_images_are_judged(answer: object, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    wb.check("images_that_drift", answer)
    assert says in capsys.readouterr().out
