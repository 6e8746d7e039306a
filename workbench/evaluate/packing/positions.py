"""Where a tensor differs from its most frequent value, coded with densities of its channels.

A pruned kernel has channels that lost nearly everything beside others that kept a lot. Rows are told how many values
they keep (to a step of about one standard deviation); columns are learnt from the rows before, so that they cost
nothing in the file. The probability of one place is the product of both, which decoding can follow row by row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.evaluate.packing.coder import DamagedError
from workbench.evaluate.packing.densities import Densities, Layout, Levels, read_levels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.evaluate.packing.coder import PackReader, PackWriter

# Modes; with rows, the two longest axes are the channels, and either of them may be the rows.
EVERYWHERE, FLAT, LONG_ROWS, SHORT_ROWS = range(4)
_MOST_ROWS = 4096
_LEAST_ROWS = 4
_MANY_COLUMNS, _SQUARES = 256, (4, 9, 16, 25, 36, 49)


def layout(shape: tuple[int, ...], mode: int) -> Layout | None:
    """Return the layout of a mode with rows, or None where the tensor has none."""
    if len(shape) < 2:  # noqa: PLR2004 - a kernel has two axes
        return None
    first, second = sorted(range(len(shape)), key=lambda axis: -shape[axis])[:2]
    if mode == SHORT_ROWS:
        first, second = second, first
    if not _LEAST_ROWS <= shape[first] <= _MOST_ROWS:
        return None
    rest = [axis for axis in range(len(shape)) if axis not in (first, second)]
    places = 1
    for axis in rest:
        places *= shape[axis]
    return Layout((first, second, *rest), shape[first], shape[second], places)


class Positions:
    """One way to store a mask; `cost` is in bits."""

    mode: int
    cost: float

    def write(self, writer: PackWriter) -> None:
        """Store it."""
        raise NotImplementedError


class _Flat(Positions):
    """One density for all."""

    mode = FLAT

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        self._bits = mask.ravel().astype(np.int32)
        self._kept = int(np.count_nonzero(mask))
        self._share = _flat(self._kept, mask.size)
        self.cost = _bits(self._kept, self._share) + _bits(mask.size - self._kept, 1 - self._share) + 16

    def write(self, writer: PackWriter) -> None:
        writer.varint(self._kept)
        writer.bits(self._bits, self._share)


class _Rows(Positions):
    """A density for each row, and for each column as well where that pays."""

    def __init__(self, mask: NDArray[np.bool_], mode: int, plan: Layout, split: int = 0) -> None:
        self.mode, self._split = mode, split
        cube = mask.transpose(plan.axes).reshape(plan.rows, plan.channels, plan.places)
        if split:
            plan = _split(plan, split)
            cube = cube.reshape(plan.rows, plan.places, plan.channels).transpose(0, 2, 1)
        self._bits = cube.ravel().astype(np.int32)
        kept = cube.sum(axis=(1, 2))
        self._levels = Levels(kept)
        densities = Densities(self._levels.values, plan)
        learnt = densities.of_all(cube).ravel()
        alike = densities.alike()
        cost = -float(np.log2(np.where(self._bits, learnt, 1 - learnt)).sum())
        cost_alike = -float((kept * np.log2(alike) + (plan.width - kept) * np.log2(1 - alike)).sum())
        self._learns = cost < cost_alike
        self._shares = learnt if self._learns else np.repeat(alike, plan.width)
        self.cost = min(cost, cost_alike) + self._levels.cost

    def write(self, writer: PackWriter) -> None:
        writer.turns += len(self._levels.values)
        self._levels.write(writer, learns=self._learns, split=self._split)
        writer.bits(self._bits, self._shares)


def best_positions(mask: NDArray[np.bool_]) -> Positions:
    """Return the smallest way to store a mask."""
    found: list[Positions] = [_Flat(mask)]
    for mode in (LONG_ROWS, SHORT_ROWS):
        if plan := layout(mask.shape, mode):
            found += [_Rows(mask, mode, plan, split) for split in (0, *_splits(plan))]
    return min(found, key=lambda each: each.cost)


def read_positions(reader: PackReader, shape: tuple[int, ...], mode: int) -> NDArray[np.bool_]:
    """Read a mask."""
    size = int(np.prod(shape, dtype=np.int64))
    if mode == FLAT:
        kept = reader.varint()
        if kept > size:
            raise DamagedError("a tensor keeps more values than it has")
        return reader.bits(size, _flat(kept, size)).astype(np.bool_).reshape(shape)
    plan = layout(shape, mode)
    if plan is None:
        raise DamagedError("a tensor without channels has densities of channels")
    reader.take_turns(plan.rows)
    levels, learns, split = read_levels(reader, plan.rows)
    if split:
        plan = _split(plan, split)
    densities = Densities(levels, plan)
    alike = densities.alike()
    cube = np.empty((plan.rows, plan.channels, plan.places), np.bool_)
    for row in range(plan.rows):
        if learns:
            cube[row] = reader.bits(plan.width, densities.of_next().ravel()).reshape(cube[row].shape)
            densities.learn(cube[row])
        else:
            cube[row] = reader.bits(plan.width, float(alike[row])).reshape(cube[row].shape)
    if split:
        cube = cube.transpose(0, 2, 1)
    mask = np.empty(shape, np.bool_)
    mask.transpose(plan.axes)[...] = cube.reshape([shape[axis] for axis in plan.axes])
    return mask


def _splits(plan: Layout) -> list[int]:
    """Return in how many places the columns of a dense layer may have been flattened, channels last: squares."""
    if plan.places > 1 or plan.channels < _MANY_COLUMNS:
        return []
    return [places for places in _SQUARES if plan.channels % places == 0]


def _split(plan: Layout, places: int) -> Layout:
    if plan.places > 1 or places < _SQUARES[0] or plan.channels % places:
        raise DamagedError("a tensor's columns are split unevenly")
    return plan._replace(channels=plan.channels // places, places=places)


def _flat(kept: int, size: int) -> float:
    return (kept + 0.5) / (size + 1.0)


def _bits(times: int, share: float) -> float:
    return -times * float(np.log2(share))
