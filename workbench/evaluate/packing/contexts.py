"""Codebook indices whose probabilities are learnt row by row: a channel has its own favourites among shared values.

Every row (a channel of the tensor) counts its own indices and starts from the tensor's counts. The rows take turns, so
that one step decodes the next index of each of them at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.evaluate.packing.coder import DamagedError
from workbench.evaluate.packing.positions import LONG_ROWS, SHORT_ROWS, layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.evaluate.packing.coder import PackReader, PackWriter

CONTEXTS = {LONG_ROWS: 64, SHORT_ROWS: 128}
LARGEST_BOOK = 64
_MOST_STEPS = 4096
_MOST_CELLS = 1 << 21
_FEW = 12


class RowContexts:
    """Indices of one tensor with a context a row; `cost` is in bits."""

    def __init__(self, indices: NDArray[np.int32], rows: NDArray[np.int64], start: NDArray[np.int64]) -> None:
        """Count.

        Args:
            indices: Of each kept value, in the tensor's order.
            rows: The row of each.
            start: The tensor's scaled counts of the indices.
        """
        by_row = np.argsort(rows, kind="stable")
        ordered, owners = indices[by_row], rows[by_row]
        kept = np.bincount(rows)
        starts = np.concatenate([[0], np.cumsum(kept)[:-1]])
        turns = np.arange(len(rows)) - starts[owners]
        once = np.zeros((len(indices), len(start)), np.int32)
        once[np.arange(len(indices)), ordered] = 1
        before = np.cumsum(once, axis=0, dtype=np.int32) - once
        weights = _weights(before - before[starts[owners]], start)
        chosen = weights[np.arange(len(indices)), ordered]
        self.cost = float(np.log2(weights.sum(axis=1, dtype=np.float64) / chosen).sum())
        self._in_turns = np.lexsort((owners, turns))
        self._indices, self._weights = ordered, weights

    def write(self, writer: PackWriter) -> None:
        """Push the indices, turn by turn."""
        writer.choices_each(self._indices[self._in_turns], self._weights[self._in_turns])


def rows_of(kept: NDArray[np.int64], shape: tuple[int, ...], mode: int, book: int) -> NDArray[np.int64] | None:
    """Return the row of each kept value, or None where contexts are not to be had.

    Args:
        kept: Places of the values in the flat tensor.
        shape: The tensor's.
        mode: Which axis the rows are.
        book: Length of the codebook.
    """
    plan = layout(shape, mode)
    if plan is None or not 1 < book <= LARGEST_BOOK or not len(kept) or len(kept) * book > _MOST_CELLS:
        return None
    axis = plan.axes[0]
    inner = int(np.prod(shape[axis + 1 :], dtype=np.int64))
    rows = kept // inner % shape[axis]
    return rows if np.bincount(rows).max() <= _MOST_STEPS else None


def read_indices(reader: PackReader, rows: NDArray[np.int64] | None, start: NDArray[np.int64]) -> NDArray[np.int32]:
    """Read the indices of kept values whose rows are known."""
    if rows is None:
        raise DamagedError("a tensor without channels has contexts of channels")
    kept = np.bincount(rows)
    counts = np.zeros((len(kept), len(start)), np.int32)
    by_row = np.argsort(rows, kind="stable")
    starts = np.concatenate([[0], np.cumsum(kept)[:-1]])
    indices = np.empty(len(rows), np.int32)
    for turn in range(int(kept.max())):
        owners = np.flatnonzero(kept > turn)
        found = reader.choices_each(_weights(counts[owners], start))
        counts[owners, found] += 1
        indices[by_row[starts[owners] + turn]] = found
    return indices


def _weights(counts: NDArray[np.int32], start: NDArray[np.int64]) -> NDArray[np.float32]:
    # How many indices the start counts as; a long book means a scale a channel, where rows have little in common.
    prior = 16 if len(start) <= _FEW else 4
    return np.asarray(counts * start.sum() + prior * start, np.float32)
