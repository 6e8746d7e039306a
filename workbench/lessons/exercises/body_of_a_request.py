"""What is sent to TensorFlow Serving's REST door."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from workbench.core.language import _
from workbench.lessons.base import Exercise

_AXES = 4  # samples, height, width, channels


class BodyOfARequest(Exercise):
    """One image in the row form: `{"instances": [image]}`."""

    def fault(self, answer: Any) -> str:
        """Return what is wrong with the body."""
        if not isinstance(answer, dict):
            return _("The body must be a dictionary, got {kind}.").format(kind=type(answer).__name__)
        if list(answer) != ["instances"]:
            return _("The samples stand under one key, the one that was used above; got {keys}.").format(
                keys=", ".join(map(str, answer)) or "{}"
            )
        try:
            json.dumps(answer)
        except TypeError:
            return _("Arrays of numpy cannot be written as JSON; lists can.")
        return _ill_shaped(np.shape(answer["instances"]))


def _ill_shaped(shape: tuple[int, ...]) -> str:
    if len(shape) == _AXES - 1:
        return _("It must be a list of samples, also of one; the shape is {shape}.").format(shape=shape)
    if len(shape) != _AXES:
        return _("A sample must have height, width and channels; the shape is {shape}.").format(shape=shape)
    if shape[0] != 1:
        return _("It asks for {count} samples.").format(count=shape[0])
    return ""
