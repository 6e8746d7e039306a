"""The exercises of the tutorial on the mathematics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import workbench as wb

if TYPE_CHECKING:
    from collections.abc import Callable


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def slope(z: Any) -> Any:
    return sigmoid(z) * (1 - sigmoid(z))


def each(y: Any, p: Any) -> Any:
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))


def reversed_sign(y: Any, p: Any) -> Any:
    return -(y * np.log(p) - (1 - y) * np.log(1 - p))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda z, y: (sigmoid(z) - y) * slope(z), "Right."),
        (lambda z, y: (z - y) * slope(z), "The sum z is compared"),
        (lambda z, y: sigmoid(z) - y, "not yet how much of a step"),
        (lambda z, _y: slope(z), "knows the target"),
        (lambda z, y: (y - sigmoid(z)) * slope(z), "other way round"),
        (lambda z, y: 2 * (sigmoid(z) - y) * slope(z), "twice too large"),
        (lambda z, y: z * 0 + y, "At z = -2.0 and y = 0.0 the loss does not change by 0.0000"),
        (lambda _z, _y: 1, "a number for each z"),
        (lambda z: z, "cannot be judged"),
        (0.2, "Give a function"),
    ],
)
def test_a_delta_is_judged(answer: Callable[..., Any], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    wb.check("delta_of_a_neuron", answer)
    assert says in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda y, p: each(y, p).mean(), "Right."),
        (lambda y, p: reversed_sign(y, p).mean(), "smaller the worse"),
        (lambda y, p: reversed_sign(y, p).sum(), "smaller the worse"),
        (lambda y, p: each(y, p).sum(), "it is to be a mean"),
        (lambda y, p: -each(y, p).mean(), "below zero"),
        (lambda y, p: -(y * np.log(p)).mean(), "with the label 0 do not count"),
        (lambda y, p: -((1 - y) * np.log(1 - p)).mean(), "with the label 1 do not count"),
        (lambda y, p: each(y, p).mean() / np.log(2), "logarithm"),
        (lambda y, p: each(y, p).mean() / np.log(10), "logarithm"),
        (lambda y, p: ((y - p) ** 2).mean(), "TensorFlow something else"),
        (each, "one number for all samples"),
        (lambda y: y, "cannot be judged"),
        (1.433, "Give a function"),
    ],
)
def test_a_cross_entropy_is_judged(answer: Callable[..., Any], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    wb.check("cross_entropy_of_two_classes", answer)
    assert says in capsys.readouterr().out
