"""Find the slope of the loss by a neuron's sum."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.language import _
from workbench.lessons.base import Exercise

_SUMS, _TARGETS = np.array([-2.0, -0.5, 0.0, 1.0, 3.0]), np.array([0.0, 1.0, 1.0, 0.0, 1.0])


class DeltaOfANeuron(Exercise):
    """A sigmoid neuron under half the squared error; the answer is a function of z and y."""

    def fault(self, answer: Any) -> str:
        """Return what is wrong with the function."""
        if not callable(answer):
            return _("Give a function of z and y.")
        given = np.asarray(answer(_SUMS.copy(), _TARGETS.copy()), float)
        if given.shape != _SUMS.shape:
            return _("It must give a number for each z, got the shape {shape}.").format(shape=given.shape)
        a = 1 / (1 + np.exp(-_SUMS))
        slope, miss = a * (1 - a), a - _TARGETS
        told = (
            (slope * miss, ""),
            (
                slope * (_SUMS - _TARGETS),
                _("The sum z is compared with the target; what does the loss compare with it?"),
            ),
            (miss, _("That says how far the output is off, and not yet how much of a step of z reaches the output.")),
            (slope, _("That says how the output follows z; nothing in it knows the target.")),
            (-slope * miss, _("The sign is the other way round: a step along it would climb.")),
            (2 * slope * miss, _("It is twice too large: the loss has a half in front.")),
        )
        other = _("At z = {z} and y = {y} the loss does not change by {given} a unit of z: try it with a small step.")
        first = int(np.argmax(~np.isclose(given, slope * miss)))
        other = other.format(z=_SUMS[first], y=_TARGETS[first], given=f"{given[first]:.4f}")
        return next((words for value, words in told if np.allclose(given, value, atol=1e-6)), other)
