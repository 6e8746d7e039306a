"""The points that no other point beats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from workbench.core.records import Repeated, SweepPoint


def non_dominated(losses: ArrayLike) -> NDArray[np.bool_]:
    """Say of each row whether no other is at least as good in every column and better in one.

    Rows are visited in lexicographic order, in which none is dominated by a later one, so each is compared with the
    members found so far only: O(n · size of the front · columns).

    Args:
        losses: (points, objectives), less is better; no NaN.

    Returns:
        (points,) True for the members; equal rows are members together.
    """
    rows = np.asarray(losses, np.float64)
    kept = np.zeros(len(rows), bool)
    if not rows.size:
        return np.ones(len(rows), bool)
    front = np.empty((0, rows.shape[1]))
    for index in np.lexsort(rows.T[::-1]):
        row = rows[index]
        if not ((front <= row).all(axis=1) & (front < row).any(axis=1)).any():
            kept[index] = True
            front = np.vstack([front, row])
    return kept


def frontier(
    points: Sequence[SweepPoint] | Sequence[Repeated], objectives: Sequence[str]
) -> tuple[SweepPoint | Repeated, ...]:
    """Return the points that no other beats, best in the first objective first.

    An objective that some point still lacks, as latency is before it was timed, is left out for all, so that a sweep
    under way has a frontier too.

    Args:
        points: Measured ones; failed ones are ignored.
        objectives: Names of metrics.
    """
    from workbench.sweep.metrics import losses, value_of

    measured = [point for point in points if value_of(point, "accuracy") is not None]
    known = [name for name in objectives if all(value_of(point, name) is not None for point in measured)]
    if not measured or not known:
        return tuple(measured)
    rows = [losses(point, known) for point in measured]
    kept = non_dominated([row for row in rows if row is not None])
    members = [
        (row, point) for row, point, member in zip(rows, measured, kept, strict=True) if member and row is not None
    ]
    return tuple(point for _, point in sorted(members, key=lambda each: each[0]))
