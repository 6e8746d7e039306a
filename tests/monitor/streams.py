"""Streams of digits, as they were learnt and as they drift, with the answers of a small model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifier

from workbench.core.records import LoggedRequest
from workbench.core.sketch import sketch, sketch_shape, top
from workbench.monitor.drift.comparison import Window
from workbench.monitor.drift.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Callable

    Array = np.ndarray[Any, Any]

DRIFTS: dict[str, Callable[[Array, Array], Array]] = {
    "rotated": lambda x, _: ndimage.rotate(x, 30, axes=(1, 2), reshape=False, order=1),
    "blurred": lambda x, _: ndimage.gaussian_filter(x, (0, x.shape[1] / 14, x.shape[1] / 14, 0)),
    "inverted": lambda x, _: 1 - x,
    "half the classes": lambda x, y: x[y < 5],
    "one class too often": lambda x, y: np.concatenate([x, x[y == 1].repeat(5, axis=0)]),
}


@dataclass(frozen=True)
class Answered:
    """Samples as a log keeps them."""

    features: Array
    predictions: Array
    confidence: Array

    def window(self, which: Array, *, begun: float = 0, ended: float = 25) -> Window:
        return Window(self.features[which], self.predictions[which], self.confidence[which], begun, ended)

    def requests(self, which: Array, *, rate: float = 10, start: float = 1e9) -> list[LoggedRequest]:
        return [
            LoggedRequest(
                id=f"{start}-{at}", time=start + at / rate, model="model", version=1, seconds=1e-3, run_seconds=5e-4,
                examples=1, predictions=(int(self.predictions[i]),), confidence=(float(self.confidence[i]),),
                features=(tuple(self.features[i].tolist()),),
            )
            for at, i in enumerate(which)
        ]  # fmt: skip


@dataclass(frozen=True)
class Digits:
    """A model of digits and samples that it has not seen."""

    model: RidgeClassifier
    x: Array
    y: Array
    reference: Reference

    def answered(self, x: Array) -> Answered:
        return Answered(sketch(x), *_said(self.model, x))

    def drifted(self, name: str) -> Answered:
        return self.answered(DRIFTS[name](self.x, self.y).astype(np.float32) if name else self.x)


@cache
def digits(seed: int = 0) -> Digits:
    """Digits split and learnt anew for each seed."""
    found = load_digits()
    order = np.random.default_rng(seed).permutation(len(found.target))
    x, y = (found.images[order] / 16).astype(np.float32)[..., None], found.target[order]
    learnt, held, rest = slice(1294), slice(1294, 1438), slice(1438, None)
    model = RidgeClassifier().fit(_flat(x[learnt]), y[learnt])
    best, sure = _said(model, x[held])
    reference = Reference(
        features=sketch(x[learnt]),
        predictions=np.concatenate([_said(model, x[learnt])[0], best]),
        confidence=sure,
        shape=sketch_shape(x.shape[1:]),
        classes=tuple("0123456789"),
        source={"dataset": "digits"},
    )
    return Digits(model, x[rest], y[rest], reference)


def _said(model: RidgeClassifier, x: Array) -> tuple[Array, Array]:
    best, sure, _ = top(4 * model.decision_function(_flat(x)))
    return best, sure


def _flat(x: Array) -> Array:
    return x.reshape(len(x), -1)
