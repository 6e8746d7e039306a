"""Densities of rows, which the file tells, and of columns, which are learnt from the rows before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workbench.evaluate.packing.coder import DamagedError
from workbench.evaluate.packing.counts import scaled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.evaluate.packing.coder import PackReader, PackWriter

# How many rows the prior counts as: of a channel's density beside the tensor's, of one place's beside its channel's.
_CHANNEL_PRIOR, _PLACE_PRIOR = 2.0, 8.0
_LOWEST, _HIGHEST = 1 / 4096, 1 - 1 / 256
_MOST_LEVELS, _HIGHEST_LEVEL = 256, 1 << 16
_EVEN, _NARROW, _WIDE = range(3)
_LEARNS, _SPLIT = 4, 8


class Layout(NamedTuple):
    """How a tensor is laid out in rows, channels and places of a channel.

    Attributes:
        axes: Order of the axes that brings rows first, channels second.
        rows: How many rows.
        channels: Channels a row.
        places: Places a channel (a kernel's height times its width).
    """

    axes: tuple[int, ...]
    rows: int
    channels: int
    places: int

    @property
    def width(self) -> int:
        """Elements a row."""
        return self.channels * self.places


class Levels:
    """How many values each row keeps, to a step of about one standard deviation: level² / 4.

    Attributes:
        values: The level of each row.
        cost: Bits.
    """

    def __init__(self, kept: NDArray[np.integer]) -> None:
        levels = np.rint(2 * np.sqrt(kept)).astype(np.int64)
        # Coarser where there are more levels than a table should have.
        step = int(levels.max()) // (_MOST_LEVELS - 1) + 1
        self.values = levels // step * step
        self._alphabet, counts = np.unique(self.values, return_counts=True)
        self._low, self._span = int(self._alphabet[0]), int(self._alphabet[-1] - self._alphabet[0]) + 1
        self._counts, wide, bits = scaled(counts)
        self._kind = _WIDE if wide else _NARROW
        self.cost = bits + 8 * ((self._span + 7) // 8)
        even = len(kept) * float(np.log2(self._span))
        if even <= self.cost:
            self._kind, self.cost = _EVEN, even
        self.cost += 24

    def write(self, writer: PackWriter, *, learns: bool, split: int) -> None:
        """Store them, whether columns are learnt, and in how many places a channel's columns are split."""
        writer.varint(self._kind | (_LEARNS if learns else 0) | split * _SPLIT)
        writer.varint(self._low)
        writer.varint(self._span)
        if self._span == 1:
            return
        offsets = (self.values - self._low).astype(np.int32)
        if self._kind == _EVEN:
            writer.choices(offsets, np.ones(self._span, np.int64))
            return
        present = np.zeros(self._span, np.uint8)
        present[self._alphabet - self._low] = 1
        writer.plan += np.packbits(present).tobytes()
        writer.counts(self._counts, wide=self._kind == _WIDE)
        writer.choices(np.searchsorted(self._alphabet, self.values).astype(np.int32), self._counts)


def read_levels(reader: PackReader, rows: int) -> tuple[NDArray[np.int64], bool, int]:
    """Read the level of each row, whether columns are learnt, and their split."""
    split, kind = divmod(reader.varint(), _SPLIT)
    low, span = reader.varint(), reader.varint()
    learns, kind = bool(kind & _LEARNS), kind & ~_LEARNS
    if kind > _WIDE or not 0 < span <= _HIGHEST_LEVEL or low > _HIGHEST_LEVEL:
        raise DamagedError("densities of channels are out of range")
    if span == 1:
        return np.repeat(np.int64(low), rows), learns, split
    if kind == _EVEN:
        return low + reader.choices(rows, np.ones(span, np.int64)).astype(np.int64), learns, split
    present = np.unpackbits(np.frombuffer(reader.raw((span + 7) // 8), np.uint8))[:span]
    alphabet = np.flatnonzero(present) + low
    if not 1 < len(alphabet) <= _MOST_LEVELS:
        raise DamagedError("densities of channels are miscounted")
    return alphabet[reader.choices(rows, reader.counts(len(alphabet), wide=kind == _WIDE))], learns, split


class Densities:
    """Probabilities row by row; `of_all` is the same arithmetic for all rows at once."""

    def __init__(self, levels: NDArray[np.int64], plan: Layout) -> None:
        self._plan = plan
        # A level stands for level² / 4 kept values, and level 0 for a sixteenth of one.
        self._kept = np.maximum(levels * levels * 4, 1) / 16.0
        self._start = float(np.maximum(levels * levels * 4, 1).sum()) / 16.0
        self._cells = float(plan.rows * plan.channels * plan.places)
        self._row = 0
        self._place = np.zeros((plan.channels, plan.places), np.int64)

    def alike(self) -> NDArray[np.float64]:
        """Return a row's density for each row, where columns are alike."""
        return _within(self._kept / float(self._plan.width))

    def of_next(self) -> NDArray[np.float64]:
        """Return the probabilities of the next row, (channels, places)."""
        row = np.array([[[self._row]]], np.float64)
        kept = self._kept[self._row : self._row + 1, None, None]
        channel = self._place.sum(axis=1, keepdims=True)
        shares = self._product(row, kept, channel[None], self._place[None], channel.sum().reshape(1, 1, 1))
        return np.asarray(shares[0], np.float64)

    def learn(self, mask: NDArray[np.bool_]) -> None:
        """Take a row in and go on to the next."""
        self._place += mask
        self._row += 1

    def of_all(self, cube: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return what `of_next` would give for each row in turn, (rows, channels, places)."""
        rows = np.arange(self._plan.rows, dtype=np.float64)[:, None, None]
        place = np.cumsum(cube, axis=0, dtype=np.int32)
        place -= cube
        channel = place.sum(axis=2, keepdims=True) if self._plan.places > 1 else place
        return self._product(rows, self._kept[:, None, None], channel, place, channel.sum(axis=1, keepdims=True))

    def _product(
        self,
        row: NDArray[np.float64],
        kept: NDArray[np.float64],
        channel: NDArray[np.integer],
        place: NDArray[np.integer],
        total: NDArray[np.integer],
    ) -> NDArray[np.float64]:
        channels, places = float(self._plan.channels), float(self._plan.places)
        strength = _CHANNEL_PRIOR * places
        density = (total + 1.0) / (row * (channels * places) + self._cells / self._start)
        channel_density = (channel + strength * density) / (row * places + strength)
        # The sum over a row's places, without adding floats up.
        expected = (total + channels * strength * density) / (row * places + strength)
        weights = place + _PLACE_PRIOR * channel_density
        share = kept / (total + _PLACE_PRIOR * places * expected) * weights
        return _within(share)


def _within(share: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped: NDArray[np.float64] = np.minimum(np.maximum(share, _LOWEST), _HIGHEST)
    return clipped
