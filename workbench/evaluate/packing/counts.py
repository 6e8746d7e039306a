"""Counts small enough to be stored beside what they describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NARROW, _WIDE = 15, 255
_NARROW_BITS, _WIDE_BITS = 4, 8


def scaled(counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], bool, float]:
    """Return counts in half a byte or a byte each, whether they need the byte, and the bits of table and symbols."""
    options = []
    for wide, width in ((False, _NARROW_BITS), (True, _WIDE_BITS)):
        stored = scale(counts, wide=wide)
        bits = float((counts * np.log2(stored.sum() / stored)).sum())
        options.append((stored, wide, bits + width * len(counts)))
    return min(options, key=lambda option: option[2])


def scale(counts: NDArray[np.int64], *, wide: bool) -> NDArray[np.int64]:
    """Return counts as shares of the largest, from 1 up to what half a byte or a byte holds."""
    most, largest = _WIDE if wide else _NARROW, counts.max()
    stored: NDArray[np.int64] = np.maximum(1, (counts * most + largest // 2) // largest)
    return stored
