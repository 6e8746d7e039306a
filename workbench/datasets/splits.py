"""Splitting without a random number: the same labels always give the same split, on every machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def stratified(labels: NDArray[Any], share: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Hold back an evenly spaced share of each class.

    A class of n samples gives `round(n * share)` of them, at least one and never all.

    Args:
        labels: (N,) integers.
        share: Part to hold back, in (0, 1).

    Returns:
        Indices of the rest and of the held samples, each ascending.
    """
    held = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        count = min(max(1, round(len(members) * share)), len(members) - 1)
        held[members[((np.arange(count) + 0.5) * len(members) / max(count, 1)).astype(int)]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)
