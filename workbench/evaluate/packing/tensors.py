"""One tensor's bytes, coded in the smallest of the ways that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.evaluate.packing.origins import Origins, origins_of, read_origins
from workbench.evaluate.packing.positions import EVERYWHERE, Positions, best_positions, read_positions
from workbench.evaluate.packing.values import HALF, coding_of, read_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.evaluate.packing.coder import PackReader, PackWriter
    from workbench.evaluate.packing.ranges import Unit
    from workbench.evaluate.packing.values import Coding, Words

_POSITIONS, _COMMON = 3, 4
# Halves are for float32 only: in a tensor of bytes, the flag says that each channel has an origin of its own.
SHIFTED = HALF
# Where fewer are alike, positions are not worth a try; where more are, nothing else is.
_SOME, _MANY = 0.05, 0.4


class UnitCoding:
    """How one unit is stored: where it differs from its most frequent value, and by what.

    The most frequent value is 0 in pruned kernels, and the zero point in quantised ones; −0.0 is another value. Where
    each channel has a zero point of its own, all are counted from theirs.
    """

    def __init__(
        self, common: bytes, positions: Positions | None, values: Coding, origins: Origins | None = None
    ) -> None:
        self._common, self._positions, self._values, self._origins = common, positions, values, origins
        self.cost = values.cost + (positions.cost if positions is not None else 0) + 8 * len(common)
        if origins is not None:
            self.cost += 8 * (len(origins.values) + 1)

    def write(self, writer: PackWriter) -> None:
        """Store it."""
        mode = self._positions.mode if self._positions is not None else EVERYWHERE
        shifted = SHIFTED if self._origins is not None else 0
        writer.plan.append(mode | (_COMMON if self._common else 0) | self._values.flags | shifted)
        if self._origins is not None:
            self._origins.write(writer)
        if self._positions is not None:
            writer.plan += self._common
            self._positions.write(writer)
        self._values.write(writer)


def coding_of_unit(content: bytes, unit: Unit) -> UnitCoding:
    """Choose how to store a unit.

    Args:
        content: Its bytes.
        unit: Its shape.
    """
    words = np.frombuffer(content, f"<u{unit.size}")
    options = _codings(words, unit.shape)
    if unit.size == 1:
        for origins in origins_of(words, unit.shape):
            options += _codings(origins.taken_off(words, unit.shape), unit.shape, origins)
    return min(options, key=lambda option: option.cost)


def read_unit(reader: PackReader, unit: Unit) -> bytes:
    """Read a unit's bytes."""
    flags = reader.raw(1)[0]
    if unit.size > 1 or not flags & SHIFTED:
        return _read(reader, unit, flags).tobytes()
    origins = read_origins(reader, unit.shape)
    return origins.put_back(_read(reader, unit, flags & ~SHIFTED), unit.shape).tobytes()


def _codings(words: Words, shape: tuple[int, ...], origins: Origins | None = None) -> list[UnitCoding]:
    book, counts = _distinct(words)
    most = int(counts.argmax())
    share = counts[most] / len(words)
    options = []
    if share <= _MANY or len(book) == 1:
        every = np.arange(len(words))
        options.append(UnitCoding(b"", None, coding_of(words, book, counts, every, shape), origins))
    if share >= _SOME and len(book) > 1:
        mask = (words != book[most]).reshape(shape)
        kept = np.flatnonzero(mask)
        values = coding_of(words[kept], np.delete(book, most), np.delete(counts, most), kept, shape)
        common = book[most : most + 1].tobytes() if book[most] else b""
        options.append(UnitCoding(common, best_positions(mask), values, origins))
    return options


def _read(reader: PackReader, unit: Unit, flags: int) -> Words:
    amount = int(np.prod(unit.shape, dtype=np.int64))
    if not flags & _POSITIONS:
        return read_values(reader, np.arange(amount), unit.shape, unit.size, flags)
    common = np.frombuffer(reader.raw(unit.size) if flags & _COMMON else bytes(unit.size), f"<u{unit.size}")
    kept = np.flatnonzero(read_positions(reader, unit.shape, flags & _POSITIONS))
    words: Words = np.repeat(common, amount)
    words[kept] = read_values(reader, kept, unit.shape, unit.size, flags)
    return words


def _distinct(words: Words) -> tuple[Words, NDArray[np.int64]]:
    ordered = np.sort(words)
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return ordered[starts], np.diff(starts, append=len(words))
