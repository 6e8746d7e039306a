"""Arbitrary arrays in [0, 1], as a network takes them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from workbench.datasets import scaling
from workbench.datasets.checks import SMALLEST_SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WHITE = 255
_TABLE_AXES, _GREY_AXES = 2, 3


@dataclass(frozen=True)
class Scaling:
    """Where 0 and 1 lie, learnt from training samples alone.

    A table's columns are scaled each by its own range. Images keep their contrast: whole numbers in 0..255 are grey
    levels, floats in [0, 1] stay as they are, and only what fits neither is scaled by the range of all its pixels.

    Attributes:
        low: What becomes 0, (features,) for a table and () for images.
        span: What becomes 1, less `low`; never 0.
    """

    low: NDArray[np.float64]
    span: NDArray[np.float64]

    @classmethod
    def learnt(cls, samples: NDArray[Any]) -> Self:
        """Look at the samples that are trained on.

        Args:
            samples: (N, features) of a table, or (N, H, W) or (N, H, W, C) images; finite.
        """
        if samples.ndim == _TABLE_AXES:
            return cls(*scaling.learnt(samples, "minmax"))
        white = 1 if samples.dtype.kind == "f" else _WHITE
        if samples.min() >= 0 and samples.max() <= white:
            return cls(np.asarray(0.0), np.asarray(float(white)))
        low, span = scaling.learnt(samples.reshape(-1), "minmax")
        return cls(np.asarray(low), span)

    def scaled(self, samples: NDArray[Any], *, as_images: bool) -> NDArray[np.float32]:
        """Return samples in [0, 1]; what lies beyond the range that was learnt is taken for its end.

        Args:
            samples: As in `learnt`, any number of them.
            as_images: Make images of a table too: a row fills the smallest square that holds it, line by line, and
                zeros fill the rest, so that 64 columns are an 8x8 image.

        Returns:
            (N, features), or images (N, H, W, C).
        """
        values = np.clip((samples - self.low) / self.span, 0, 1).astype(np.float32)
        if values.ndim == _TABLE_AXES:
            if not as_images:
                return values
            side = max(SMALLEST_SIDE, math.isqrt(values.shape[1] - 1) + 1)
            square = np.zeros((len(values), side * side), np.float32)
            square[:, : values.shape[1]] = values
            return square.reshape(-1, side, side, 1)
        return values[..., None] if values.ndim == _GREY_AXES else values
