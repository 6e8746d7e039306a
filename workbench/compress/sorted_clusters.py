"""One-dimensional k-means on sorted values, fast enough to follow a finger and the same every time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDS = 40
_BINS = 64


def centroids_of(
    ordered: NDArray[np.float32], clusters: int, start: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Return the values that stand for all others with little squared error (Lloyd's algorithm).

    In sorted values a cluster is a stretch, its mean a difference of running sums: a round costs a few searches and
    not a look at each value. It starts where the best quantizer of many levels has them, with a density in proportion
    to the cube root of the values' own (Panter & Dite, "Quantization distortion in pulse-count modulation with
    nonuniform spacing of levels", Proc. IRE 39, 1951), from where few rounds are enough.

    Args:
        ordered: Ascending values, at least one.
        clusters: Most centroids, at least 1.
        start: Where they begin instead, ascending: those of values that were much the same.

    Returns:
        Ascending centroids; fewer than asked for where clusters stayed empty.
    """
    sums = np.concatenate([[0.0], np.cumsum(ordered, dtype=np.float64)])
    centres = _start(ordered, clusters) if start is None else start.astype(np.float64)
    bounds = np.empty(0, np.int64)
    for _ in range(_ROUNDS):
        # Searching for float64 in float32 would convert all values each round.
        middles = ((centres[1:] + centres[:-1]) / 2).astype(np.float32)
        ends = np.concatenate([[0], np.searchsorted(ordered, middles), [len(ordered)]])
        if np.array_equal(ends, bounds):
            break
        bounds, counts = ends, np.diff(ends)
        # An empty cluster stays where it is; it may win values in a later round.
        centres = np.where(counts > 0, np.diff(sums[ends]) / np.maximum(counts, 1), centres)
    return np.unique(centres[counts > 0].astype(np.float32))


def nearest_in_order(ordered: NDArray[np.float32], centroids: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the nearest centroid of each of many ascending values."""
    ends = np.searchsorted(ordered, (centroids[1:] + centroids[:-1]) / 2)
    return np.repeat(centroids, np.diff(ends, prepend=0, append=len(ordered)))


def _start(ordered: NDArray[np.float32], clusters: int) -> NDArray[np.float64]:
    edges = np.linspace(float(ordered[0]), float(ordered[-1]), _BINS + 1)
    counts = np.diff(np.searchsorted(ordered, edges[1:-1].astype(np.float32)), prepend=0, append=len(ordered))
    share = np.concatenate([[0.0], np.cumsum(np.cbrt(counts))])
    return np.asarray(np.interp((np.arange(clusters) + 0.5) / clusters * share[-1], share, edges))
