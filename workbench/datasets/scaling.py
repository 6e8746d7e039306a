"""Scale columns of numbers: where 0 lies and how wide 1 is, learnt from training rows alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from workbench.core.errors import BadInputError

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

    Raises:
        BadInputError: There is no such way.
    """
    if how not in get_args(Scale):
        raise BadInputError.of("scaling", rule=f"must be one of {', '.join(get_args(Scale))}", got=how)
    known = np.asarray(values, np.float64)
    low, high = known.min(axis=0), known.max(axis=0)
    if how == "none":
        return np.zeros_like(low), np.ones_like(low)
    offset, scale = (low, high - low) if how == "minmax" else (known.mean(axis=0), known.std(axis=0))
    # Rounding gives a constant column a deviation, and a mean that is not quite its number; tiny numbers have no
    # deviation, since their squares are 0.
    return np.where(high > low, offset, low), np.where((high > low) & (scale > 0), scale, 1.0)
