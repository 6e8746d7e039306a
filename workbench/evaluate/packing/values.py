"""Stored values as symbols: indices into a codebook of distinct values, or one symbol for each of their bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from workbench.evaluate.packing.coder import DamagedError
from workbench.evaluate.packing.contexts import CONTEXTS, WORTH_CELLS, RowContexts, read_indices, rows_of
from workbench.evaluate.packing.counts import scale, scaled
from workbench.evaluate.packing.positions import LONG_ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from workbench.evaluate.packing.coder import PackReader, PackWriter

Words = np.ndarray[tuple[int, ...], np.dtype[np.unsignedinteger]]

CODEBOOK, HALF, WIDE = 8, 16, 32
LARGEST_CODEBOOK = 1024
_HALF = 2
_RAW, _CONSTANT, _CODED_NARROW, _CODED_WIDE = range(4)
_BYTES = 256
_BITMAP = _BYTES // 8


class Coding(Protocol):
    """A way to store values; `cost` is in bits, `flags` says which way it is."""

    cost: float
    flags: int

    def write(self, writer: PackWriter) -> None:
        """Store them."""


@dataclass
class Codebook:
    """Few distinct values: each once, as float16 where that is exact, and how often each occurs.

    Attributes:
        words: All values, as the unsigned integers that their bits are.
        book: The distinct ones, ascending.
        counts: How often each of them occurs.
        rows: The row of each value, by the mode whose rows they are.
    """

    words: Words
    book: Words
    counts: NDArray[np.int64]
    rows: Mapping[int, NDArray[np.int64]]

    def __post_init__(self) -> None:
        self._stored = self.book.tobytes()
        halves = _as_halves(self.book)
        if halves is not None:
            self._stored = halves.tobytes()
        self._scaled, wide, cost = scaled(self.counts)
        self.flags = CODEBOOK | (HALF if halves is not None else 0) | (WIDE if wide else 0)
        self._indices = _places_in(self.book, self.words)
        self._contexts: RowContexts | None = None
        table = (8 if wide else 4) * len(self.book)
        for mode, rows in self.rows.items():
            contexts = RowContexts(self._indices, rows, self._scaled)
            if contexts.cost + table < cost:
                self._contexts, cost, context = contexts, contexts.cost + table, CONTEXTS[mode]
                self.flags = self.flags & (CONTEXTS[LONG_ROWS] - 1) | context
        self.cost = cost + 8 * len(self._stored) + 16

    def write(self, writer: PackWriter) -> None:
        """Store the book, the counts and the indices."""
        writer.varint(len(self.book))
        writer.plan += self._stored
        if len(self.book) > 1:
            writer.counts(self._scaled, wide=bool(self.flags & WIDE))
            if self._contexts is not None:
                self._contexts.write(writer)
            else:
                writer.choices(self._indices, self._scaled)


class Planes:
    """The values' bytes by significance: each plane raw, constant or entropy-coded, whatever is smallest."""

    flags = 0

    def __init__(self, words: Words) -> None:
        self._planes = np.ascontiguousarray(words.reshape(-1, 1).view(np.uint8).T)
        self._counts = [np.bincount(plane, minlength=_BYTES) for plane in self._planes]
        costs, self._modes = [], []
        for counts in self._counts:
            present = counts[counts > 0]
            _, wide, coded = scaled(present)
            coded += 8 + 8 * min(len(present), _BITMAP)
            raw = 8.0 * len(words)
            mode = _CODED_WIDE if wide else _CODED_NARROW
            options = {_CONSTANT: 8.0} if len(present) == 1 else {mode: coded, _RAW: raw}
            self._modes.append(min(options, key=options.__getitem__))
            costs.append(options[self._modes[-1]])
        self.cost = sum(costs) + 8 * ((len(self._modes) + 3) // 4)

    def write(self, writer: PackWriter) -> None:
        """Store how each plane is stored, then the planes."""
        modes = sum(mode << 2 * place for place, mode in enumerate(self._modes))
        writer.plan += modes.to_bytes((len(self._modes) + 3) // 4, "little")
        for plane, mode, counts in zip(self._planes, self._modes, self._counts, strict=True):
            if mode == _RAW:
                writer.plan += plane.tobytes()
                continue
            alphabet = np.flatnonzero(counts)
            if mode == _CONSTANT:
                writer.plan.append(int(alphabet[0]))
                continue
            writer.plan.append(len(alphabet) - 1)
            writer.plan += _alphabet(alphabet)
            chosen = scale(counts[alphabet], wide=mode == _CODED_WIDE)
            writer.counts(chosen, wide=mode == _CODED_WIDE)
            places = np.zeros(_BYTES, np.int32)
            places[alphabet] = np.arange(len(alphabet))
            writer.choices(places[plane], chosen)


def coding_of(
    words: Words, book: Words, counts: NDArray[np.int64], kept: NDArray[np.int64], shape: tuple[int, ...]
) -> Coding:
    """Return the smallest way to store values.

    Args:
        words: The values, flat.
        book: The distinct ones, ascending.
        counts: How often each of them occurs.
        kept: Their places in the flat tensor.
        shape: The tensor's.
    """
    planes = Planes(words)
    if not len(words) or len(book) > LARGEST_CODEBOOK:
        return planes
    found = {mode: rows_of(kept, shape, mode, len(book), WORTH_CELLS) for mode in CONTEXTS}
    rows = {mode: each for mode, each in found.items() if each is not None}
    codebook = Codebook(words, book, counts, rows)
    return codebook if codebook.cost < planes.cost else planes


def read_values(reader: PackReader, kept: NDArray[np.int64], shape: tuple[int, ...], size: int, flags: int) -> Words:
    """Read values of `size` bytes each, which lie at the places `kept` of a flat tensor."""
    amount = len(kept)
    if flags & CODEBOOK:
        return _read_codebook(reader, kept, shape, size, flags)
    modes = int.from_bytes(reader.raw((size + 3) // 4), "little")
    planes = np.empty((size, amount), np.uint8)
    for place in range(size):
        planes[place] = _read_plane(reader, amount, modes >> 2 * place & 3)
    return np.ascontiguousarray(planes.T).view(f"<u{size}").ravel()


def _places_in(book: Words, words: Words) -> NDArray[np.int32]:
    """Return where each value is in an ascending book that has it."""
    if book.itemsize > 1:
        return np.searchsorted(book, words).astype(np.int32)
    places = np.zeros(_BYTES, np.int32)
    places[book] = np.arange(len(book))
    return np.asarray(places[words], np.int32)


def _as_halves(book: Words) -> NDArray[np.uint16] | None:
    """Return float32 bit patterns as those of float16, or None where that would change one."""
    if book.itemsize != 4:  # noqa: PLR2004 - float32
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        halves = book.view(np.float32).astype(np.float16)
        same = np.array_equal(halves.astype(np.float32).view(np.uint32), book)
    return halves.view(np.uint16) if same else None


def _alphabet(alphabet: NDArray[np.int64]) -> bytes:
    if len(alphabet) <= _BITMAP:
        return alphabet.astype(np.uint8).tobytes()
    present = np.zeros(_BYTES, np.uint8)
    present[alphabet] = 1
    return np.packbits(present).tobytes()


def _read_plane(reader: PackReader, amount: int, mode: int) -> NDArray[np.uint8] | int:
    if mode == _RAW:
        return np.frombuffer(reader.raw(amount), np.uint8)
    first = reader.raw(1)[0]
    if mode == _CONSTANT:
        return first
    length = first + 1
    if length < _HALF:
        raise DamagedError("a plane with one symbol is called coded")
    if length <= _BITMAP:
        alphabet = np.frombuffer(reader.raw(length), np.uint8)
    else:
        alphabet = np.flatnonzero(np.unpackbits(np.frombuffer(reader.raw(_BITMAP), np.uint8))).astype(np.uint8)
    if len(alphabet) != length:
        raise DamagedError("a plane's symbols are miscounted")
    return alphabet[reader.choices(amount, reader.counts(length, wide=mode == _CODED_WIDE))]


def _read_codebook(reader: PackReader, kept: NDArray[np.int64], shape: tuple[int, ...], size: int, flags: int) -> Words:
    length = reader.varint()
    if not 0 < length <= LARGEST_CODEBOOK:
        raise DamagedError("a codebook is empty or too long")
    half = bool(flags & HALF)
    if half and size != 4:  # noqa: PLR2004 - float32
        raise DamagedError("a codebook of halves is for something else than float32")
    stored = reader.raw(length * (_HALF if half else size))
    book = np.frombuffer(stored, np.uint16 if half else f"<u{size}")
    if half:
        with np.errstate(invalid="ignore"):
            book = book.view(np.float16).astype(np.float32).view(np.uint32)
    if length == 1:
        return np.repeat(book, len(kept))
    counts = reader.counts(length, wide=bool(flags & WIDE))
    mode = next((mode for mode, flag in CONTEXTS.items() if flags & flag), None)
    if mode is not None:
        found: Words = book[read_indices(reader, rows_of(kept, shape, mode, length), counts)]
        return found
    return book[reader.choices(len(kept), counts)]
