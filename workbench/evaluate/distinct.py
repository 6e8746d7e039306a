"""How many different values there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HALF = 2


def distinct_values(values: NDArray[Any]) -> NDArray[Any]:
    """Return the different values, ascending and flat; 0 and -0 are one, and so are all NaN.

    Floats of two bytes come back as float32, which holds each of them: numpy 2.4 sorts float16 wrongly on processors
    with AVX-512, and so finds some of the values several times over.

    Args:
        values: Any shape and type.
    """
    if values.dtype.itemsize == _HALF and values.dtype.kind not in "iub":
        values = values.astype(np.float32)
    return np.unique(values)


def distinct(values: NDArray[Any]) -> int:
    """Return how many different values there are.

    Args:
        values: Any shape and type.
    """
    return len(distinct_values(values))
