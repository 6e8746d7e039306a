"""A function that makes images drift."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.language import _
from workbench.lessons.base import Exercise

_SEEN = 0.02  # mean change of a grey level that can be seen


class ImagesThatDrift(Exercise):
    """Other images of the same shape and range."""

    def fault(self, answer: Any) -> str:
        """Return what is wrong with what the function makes of two probes, a square and a large one."""
        if not callable(answer):
            return _("Give a function.")
        for size in (8, 28):
            images = _probe(size)
            kept = images.copy()
            made = np.asarray(answer(images))
            told = _ill_formed(made, kept)
            if told:
                return told
            if not np.array_equal(images, kept):
                return _("It changes the images that it is given; let it return others.")
            if np.abs(made - images).mean() < _SEEN:
                return _("The images hardly change.")
        return ""


def _probe(size: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return four images of a bar that is not symmetric, (4, size, size, 1) in [0, 1]."""
    images = np.zeros((4, size, size, 1), np.float32)
    images[:, size // 8 : size // 2, size // 4 : size // 2] = 1
    return images


def _ill_formed(made: Any, images: Any) -> str:
    if made.shape != images.shape:
        return _("It must give the shape {shape} back, got {got}.").format(shape=images.shape, got=made.shape)
    if made.dtype.kind != "f" or not np.isfinite(made).all():
        return _("It must give floats, all of them numbers.")
    if made.min() < -_SEEN or made.max() > 1 + _SEEN:
        return _("It must stay between 0 and 1, got {low} to {high}.").format(
            low=f"{made.min():.2f}", high=f"{made.max():.2f}"
        )
    return ""
