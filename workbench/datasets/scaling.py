"""Scale columns of numbers: where 0 lies and how wide 1 is, learnt from training rows alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Scale = Literal["standard", "minmax", "none"]


def learnt(values: NDArray[Any], how: Scale) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Look at the rows that are trained on.

    Args:
        values: (N, columns) finite numbers.
        how: `standard` is mean and standard deviation (of the population, as scikit-learn's `StandardScaler`),
            `minmax` the range, `none` leaves all as it is.

    Returns:
        What becomes 0 and what becomes 1 less that, each (columns,); the latter is 1 for a column that is constant.
    """
    known = np.asarray(values, np.float64)
    low, high = known.min(axis=0), known.max(axis=0)
    if how == "none":
        return np.zeros_like(low), np.ones_like(low)
    offset, scale = (low, high - low) if how == "minmax" else (known.mean(axis=0), known.std(axis=0))
    # Rounding leaves a constant column a deviation of its own; tiny numbers have none, since their squares are 0.
    return offset, np.where((high > low) & (scale > 0), scale, 1.0)
