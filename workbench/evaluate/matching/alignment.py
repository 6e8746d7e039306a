"""The best common order of two sequences of steps (S. B. Needleman and C. D. Wunsch, 1970), gaps at no cost."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.evaluate.matching.similarity import similarities

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from workbench.evaluate.matching.steps import Step

# What two steps are worth to each other. A step has its best partner where all of these agree, so that a graph is
# found whole inside one that has more.
_KIND, _FAMILY = 8, 4
_NAME, _PART = 6, 3
_WEIGHTS, _SHAPE, _ALIKE = 24, 4, 16
_WEIGHTED = 2
_ATTRIBUTES = 1
_LEAST_ALIKE = 0.5
_COMMON_PART = 32
MOST_CELLS = 9_000_000

Pair = tuple[int, int]


def align(ours: Sequence[Step], theirs: Sequence[Step]) -> tuple[list[Pair], bool]:
    """Return the pairs of places, both in ascending order, that are worth most together.

    What is the same at both ends is not weighed. What is too large for it in between is cut into pieces of equal
    lengths, each aligned by itself.

    Returns:
        The pairs, and whether they are the best of all.
    """
    start, end = _same_ends(ours, theirs)
    last = len(ours) - end, len(theirs) - end
    pieces = math.ceil(math.sqrt((last[0] - start) * (last[1] - start) / MOST_CELLS)) or 1
    rows, columns = ([start + (stop - start) * cut // pieces for cut in range(pieces + 1)] for stop in last)
    middle = [
        (rows[cut] + row, columns[cut] + column)
        for cut in range(pieces)
        for row, column in _best(ours[rows[cut] : rows[cut + 1]], theirs[columns[cut] : columns[cut + 1]])
    ]
    ends = ((last[0] + place, last[1] + place) for place in range(end))
    return [*((place, place) for place in range(start)), *middle, *ends], pieces == 1


def _best(ours: Sequence[Step], theirs: Sequence[Step]) -> list[Pair]:
    return _best_path(_worth(ours, theirs)) if ours and theirs else []


def _same_ends(ours: Sequence[Step], theirs: Sequence[Step]) -> Pair:
    """Return how many steps are the same in all respects at the start and at the end."""
    most = min(len(ours), len(theirs))
    start = 0
    while start < most and _same(ours[start], theirs[start]):
        start += 1
    end = 0
    while end < most - start and _same(ours[-1 - end], theirs[-1 - end]):
        end += 1
    return start, end


def _same(one: Step, other: Step) -> bool:
    return (
        one.key == other.key
        and one.owner.name == other.owner.name
        and one.attributes == other.attributes
        and one.digest == other.digest
    )


def _worth(ours: Sequence[Step], theirs: Sequence[Step]) -> NDArray[np.int16]:
    """Return what each step is worth to each other one; 0 where they cannot be the same."""
    plain = np.array([step.plumbing for step in ours])[:, None]
    same = _equal(ours, theirs, lambda step: step.key)
    allowed = same | _equal(ours, theirs, lambda step: step.family)
    worth = np.where(same, np.int16(_KIND), np.int16(_FAMILY)) // np.where(plain, np.int16(2), np.int16(1))
    named = _equal(ours, theirs, lambda step: step.owner.name)
    worth[named] += _NAME
    worth[_shared_parts(ours, theirs) & ~named] += _PART
    weights = _equal(ours, theirs, lambda step: step.digest or None)
    worth[weights] += _WEIGHTS
    worth[_equal(ours, theirs, lambda step: step.shape or None) & ~weights] += _SHAPE
    worth[_equal(ours, theirs, lambda step: bool(step.digest))] += _WEIGHTED
    worth[_equal(ours, theirs, lambda step: repr(sorted(step.operation.attributes.items())))] += _ATTRIBUTES
    for row, column, alike in similarities(ours, theirs):
        if alike >= _LEAST_ALIKE and not weights[row, column]:
            worth[row, column] += round(_ALIKE * alike)
    worth[~allowed] = 0
    return worth


def _equal(ours: Sequence[Step], theirs: Sequence[Step], trait: Callable[[Step], Any]) -> NDArray[np.bool_]:
    """Compare a trait of each with each; None is equal to nothing."""
    codes: dict[Any, int] = {}
    left, right = (
        np.array([-1 if (found := trait(step)) is None else codes.setdefault(found, len(codes)) for step in steps])
        for steps in (ours, theirs)
    )
    return np.asarray((left[:, None] == right[None, :]) & (left >= 0)[:, None])


def _shared_parts(ours: Sequence[Step], theirs: Sequence[Step]) -> NDArray[np.bool_]:
    """Say which steps share a part of their names that is not everyone's, such as a layer's name."""
    shared = np.zeros((len(ours), len(theirs)), bool)
    places: defaultdict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, steps in enumerate((ours, theirs)):
        for index, step in enumerate(steps):
            for part in step.owner.path:
                places[part][side].append(index)
    for left, right in places.values():
        if left and right and max(len(left), len(right)) <= _COMMON_PART:
            shared[np.ix_(left, right)] = True
    return shared


def _best_path(worth: NDArray[np.int16]) -> list[Pair]:
    rows, columns = worth.shape
    best = np.zeros((rows + 1, columns + 1), np.int32)
    for row in range(rows):
        taken = np.where(worth[row] > 0, best[row, :-1] + worth[row], 0)
        best[row + 1, 1:] = np.maximum.accumulate(np.maximum(best[row, 1:], taken))
    path = []
    row, column = rows, columns
    while row and column:
        value = worth[row - 1, column - 1]
        if value > 0 and best[row, column] == best[row - 1, column - 1] + value:
            row, column = row - 1, column - 1
            path.append((row, column))
        elif best[row, column] == best[row - 1, column]:
            row -= 1
        else:
            column -= 1
    return path[::-1]
