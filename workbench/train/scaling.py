"""Arbitrary arrays as the images in [0, 1] that a dataset holds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

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
        axes = 0 if samples.ndim == _TABLE_AXES else None
        low = np.asarray(samples.min(axis=axes), np.float64)
        high = np.asarray(samples.max(axis=axes), np.float64)
        if samples.ndim != _TABLE_AXES:
            white = 1 if samples.dtype.kind == "f" else _WHITE
            if low >= 0 and high <= white:
                low, high = np.float64(0), np.float64(white)  # type: ignore[assignment]
        span = np.asarray(high - low)
        return cls(np.asarray(low), np.where(span > 0, span, 1.0))

    def images(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        """Return samples as images; what lies beyond the range that was learnt is taken for its end.

        A table's row fills the smallest square that holds it, line by line, and zeros fill the rest: 64 columns are an
        8x8 image.

        Args:
            samples: As in `learnt`, any number of them.

        Returns:
            (N, H, W, C), in [0, 1].
        """
        values = np.clip((samples - self.low) / self.span, 0, 1).astype(np.float32)
        if values.ndim == _TABLE_AXES:
            side = max(SMALLEST_SIDE, math.isqrt(values.shape[1] - 1) + 1)
            square = np.zeros((len(values), side * side), np.float32)
            square[:, : values.shape[1]] = values
            return square.reshape(-1, side, side, 1)
        return values[..., None] if values.ndim == _GREY_AXES else values
