"""A layer's weights said with a handful of values: one-dimensional k-means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDS = 20


def fit_codebook(
    values: NDArray[np.floating], size: int, start: NDArray[np.floating] | None = None
) -> NDArray[np.float32]:
    """Return up to `size` values that stand for all of `values` with the least squared error (Lloyd's algorithm).

    Sorted values make a round of Lloyd's cheap: a cluster is a stretch between two bounds, its mean a difference of
    cumulative sums. It ends when the bounds stand still.

    Args:
        values: Any shape; at least one value.
        size: Most values of the codebook.
        start: Where the centroids begin, ascending; None is evenly spaced quantiles.

    Returns:
        Ascending float32 values, each exactly a float16, so that a codebook costs two bytes a value; fewer than
        `size` where clusters fell together.
    """
    ordered = np.sort(values, axis=None).astype(np.float64)
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    centres = np.quantile(ordered, (np.arange(size) + 0.5) / size) if start is None else start.astype(np.float64)
    bounds = np.empty(0, np.int64)
    for _ in range(_ROUNDS):
        cuts = np.searchsorted(ordered, (centres[1:] + centres[:-1]) / 2)
        ends = np.concatenate([[0], cuts, [len(ordered)]])
        counts = np.diff(ends)
        # An empty cluster stays where it is; it may win values in a later round.
        centres = np.where(counts > 0, np.diff(sums[ends]) / np.maximum(counts, 1), centres)
        if np.array_equal(ends, bounds):
            break
        bounds = ends
    return np.unique(centres.astype(np.float16)).astype(np.float32)


def nearest(values: NDArray[np.floating], codebook: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return each value's nearest neighbour in an ascending codebook, same shape."""
    middles = (codebook[1:] + codebook[:-1]) / 2
    return codebook[np.searchsorted(middles, values)].astype(np.float32)
