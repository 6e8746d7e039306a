"""Write the cross-entropy of two classes so that it grows where predictions get worse."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from workbench.core.language import _
from workbench.lessons.base import Exercise

_LABELS, _SHARES = np.array([1.0, 0.0, 1.0, 0.0, 0.0]), np.array([0.9, 0.2, 0.35, 0.75, 0.1])


class CrossEntropyOfTwoClasses(Exercise):
    """The answer is a function of labels and predicted shares, and gives the mean."""

    def fault(self, answer: Any) -> str:
        """Return what is wrong with the function."""
        if not callable(answer):
            return _("Give a function of y and p.")
        given = np.asarray(answer(_LABELS.copy(), _SHARES.copy()), float)
        if given.shape:
            return _("It must give one number for all samples, got the shape {shape}.").format(shape=given.shape)
        ones, zeros = np.mean(_LABELS * np.log(_SHARES)), np.mean((1 - _LABELS) * np.log(1 - _SHARES))
        both, count = -(ones + zeros), len(_LABELS)
        sign = _("A sample with the label 0 makes it smaller the worse it is predicted.")
        told = (
            (both, ""),
            (zeros - ones, sign),
            (count * (zeros - ones), sign),
            (count * both, _("It grows with the number of samples: it is to be a mean.")),
            (-both, _("It is below zero, and falls as predictions get worse.")),
            (-ones, _("Samples with the label 0 do not count in it.")),
            (-zeros, _("Samples with the label 1 do not count in it.")),
            (both / math.log(2), _("TensorFlow's logarithm is another one.")),
            (both / math.log(10), _("TensorFlow's logarithm is another one.")),
        )
        other = _("For y = {y} and p = {p} it gives {given}, and TensorFlow something else.")
        other = other.format(y=_LABELS.tolist(), p=_SHARES.tolist(), given=f"{float(given):.4f}")
        return next((words for value, words in told if np.isclose(given, value, atol=1e-6)), other)
