"""One threshold for all layers: how much of each layer lies below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def shares_below(magnitudes: Sequence[NDArray[Any]], share: float) -> list[float]:
    """Return the share of each layer that is among the smallest of all layers together.

    Of values that are equal to the threshold, those of the first layers count as smaller, so that the shares add up to
    what was asked for even where weights share few values. A layer keeps at least one weight, or nothing gets through.

    Args:
        magnitudes: A flat array a layer, comparable with the others'.
        share: Of all of them, in [0, 1).
    """
    every = np.concatenate(magnitudes)
    wanted = min(round(share * every.size), every.size - 1)
    threshold = np.partition(every, wanted)[wanted]
    below = [int(np.count_nonzero(each < threshold)) for each in magnitudes]
    left = wanted - sum(below)
    shares = []
    for count, each in zip(below, magnitudes, strict=True):
        tied = min(left, int(np.count_nonzero(each == threshold))) if left else 0
        left -= tied
        shares.append(min(count + tied, each.size - 1) / each.size)
    return shares


def over_rms(magnitudes: NDArray[Any]) -> NDArray[np.float64]:
    """Return magnitudes over their root mean square: what makes layers comparable."""
    exact = magnitudes.astype(np.float64)
    rms = float(np.sqrt(np.mean(exact**2)))
    return np.asarray(exact / (rms or 1.0))
