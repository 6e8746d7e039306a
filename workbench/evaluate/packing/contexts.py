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
MOST_CELLS, WORTH_CELLS = 1 << 21, 1 << 18
_FEW = 12


class RowContexts:
    """Indices of one tensor with a context a row; `cost` is in bits."""

    def __init__(self, indices: NDArray[np.int32], rows: NDArray[np.int64], start: NDArray[np.int64]) -> None:
        """Work out the cost, which depends on how often each row has each index and not on their order.

        Args:
            indices: Of each kept value, in the tensor's order.
            rows: The row of each.
            start: The tensor's scaled counts of the indices.
        """
        self._indices, self._rows, self._start = indices, rows, start
        kept = np.bincount(rows)
        counts = np.bincount(rows * len(start) + indices, minlength=len(kept) * len(start)).reshape(-1, len(start))
        whole, each = start.sum(), _prior(start) * start
        steps = whole * np.arange(counts.max() + 1)[:, None] + each
        bits = np.zeros((len(steps) + 1, len(start)))
        np.cumsum(np.log2(steps), axis=0, out=bits[1:])
        of_row = np.concatenate([[0.0], np.cumsum(np.log2(whole * np.arange(kept.max()) + each.sum()))])
        self.cost = float(of_row[kept].sum() - bits[counts, np.arange(len(start))].sum())

    def write(self, writer: PackWriter) -> None:
        """Push the indices, turn by turn."""
        writer.turns += int(np.bincount(self._rows).max())
        by_row = np.argsort(self._rows, kind="stable")
        ordered, owners = self._indices[by_row], self._rows[by_row]
        starts = np.concatenate([[0], np.cumsum(np.bincount(self._rows))[:-1]])[owners]
        every = np.arange(len(ordered))
        before = np.zeros((len(ordered) + 1, len(self._start)), np.int32)
        before[every + 1, ordered] = 1
        np.cumsum(before, axis=0, out=before)
        weights = _weights(before[:-1] - before[starts], self._start)
        in_turns = np.lexsort((owners, every - starts))
        writer.choices_each(ordered[in_turns], weights[in_turns])


def rows_of(
    kept: NDArray[np.int64], shape: tuple[int, ...], mode: int, book: int, most: int = MOST_CELLS
) -> NDArray[np.int64] | None:
    """Return the row of each kept value, or None where contexts are not to be had.

    Args:
        kept: Places of the values in the flat tensor.
        shape: The tensor's.
        mode: Which axis the rows are.
        book: Length of the codebook.
        most: Values times codebook entries: what a reader takes, and a writer who has no time less.
    """
    plan = layout(shape, mode)
    if plan is None or not 1 < book <= LARGEST_BOOK or not len(kept) or len(kept) * book > most:
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
    reader.take_turns(int(kept.max()))
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
    weights = counts.astype(np.float32)
    weights *= np.float32(start.sum())
    weights += (_prior(start) * start).astype(np.float32)
    return weights


def _prior(start: NDArray[np.int64]) -> int:
    # How many indices the start counts as; a long book means a scale a channel, where rows have little in common.
    return 16 if len(start) <= _FEW else 4
