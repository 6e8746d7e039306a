"""Which bytes of a file are tensors, and how they are grouped to be coded."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

from workbench.evaluate.packing.coder import DamagedError, read_varint, varint

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# A tensor of more elements is coded in parts without channels, so that memory stays small.
LARGEST_UNIT = 1 << 20
_SMALLEST, _SMALLEST_LONG = 24, 256
_MOST_AXES = 8
_SIZES = (1, 2, 4, 8)


class Range(NamedTuple):
    """The bytes of one constant tensor.

    Attributes:
        offset: Where they begin in the file.
        size: Bytes an element: 1, 2, 4 or 8.
        shape: Its axes, in the order of its bytes.
        name: What the file calls it; not kept when packed.
    """

    offset: int
    size: int
    shape: tuple[int, ...]
    name: str = ""

    @property
    def end(self) -> int:
        """Where the first byte after it is."""
        return self.offset + self.length

    @property
    def length(self) -> int:
        """Bytes in all."""
        return self.size * prod(self.shape)


class Unit(NamedTuple):
    """What is coded at once: the bytes [start, end) of all tensors' bytes in a row, as a tensor.

    Small vectors are coded together, for each would need tables of its own.
    """

    pieces: tuple[tuple[int, int], ...]
    size: int
    shape: tuple[int, ...]


def usable(found: Iterable[Range], length: int) -> list[Range]:
    """Return the ranges in the file's order, without what is tiny, outside of it, odd or overlaps."""
    kept: list[Range] = []
    end = 0
    for each in sorted(found):
        # Shapes of a few 64-bit integers deflate better among their like.
        odd = each.size == _SIZES[-1] and each.length < _SMALLEST_LONG
        odd |= each.size not in _SIZES or len(each.shape) > _MOST_AXES or min(each.shape, default=1) < 1
        if odd or each.length < _SMALLEST or each.offset < end or each.end > length:
            continue
        kept.append(each)
        end = each.end
    return kept


def table(ranges: Sequence[Range]) -> bytes:
    """Return where the tensors are, for the packed file: gap, size of an element and axes of each."""
    written, end = varint(len(ranges)), 0
    for each in ranges:
        written += varint(each.offset - end)
        written += bytes([_SIZES.index(each.size) | len(each.shape) << 2])
        written += b"".join(map(varint, each.shape))
        end = each.end
    return written


def read_table(data: bytes, length: int) -> tuple[list[Range], int]:
    """Return the ranges of a table and where it ends; all of them lie within `length` bytes.

    Raises:
        DamagedError: They do not.
    """
    count, at = read_varint(data, 0)
    ranges: list[Range] = []
    end = 0
    for _ in range(count):
        gap, at = read_varint(data, at)
        if at >= len(data):
            raise DamagedError("the table of tensors ends too early")
        size, axes = _SIZES[data[at] & 3], data[at] >> 2
        at += 1
        shape = []
        for _ in range(axes):
            axis, at = read_varint(data, at)
            shape.append(axis)
        each = Range(end + gap, size, tuple(shape))
        if axes > _MOST_AXES or min(shape, default=1) < 1 or each.length < _SMALLEST or each.end > length:
            raise DamagedError("a tensor lies outside of the file")
        ranges.append(each)
        end = each.end
    return ranges, at


def units(ranges: Sequence[Range]) -> list[Unit]:
    """Group tensors into what is coded at once; the same for writer and reader."""
    made: list[Unit] = []
    vectors: dict[int, list[tuple[int, int]]] = {}
    start = 0
    for each in ranges:
        end = start + each.length
        step = LARGEST_UNIT * each.size
        if len(each.shape) < 2 and each.length <= step:  # noqa: PLR2004 - a vector
            vectors.setdefault(each.size, []).append((start, end))
        elif each.length <= step:
            made.append(Unit(((start, end),), each.size, each.shape))
        else:
            for part in range(start, end, step):
                stop = min(part + step, end)
                made.append(Unit(((part, stop),), each.size, ((stop - part) // each.size,)))
        start = end
    for size, pieces in vectors.items():
        made.extend(_together(pieces, size))
    return made


def _together(pieces: list[tuple[int, int]], size: int) -> Iterable[Unit]:
    group: list[tuple[int, int]] = []
    elements = 0
    for piece in pieces:
        count = (piece[1] - piece[0]) // size
        if elements + count > LARGEST_UNIT:
            yield Unit(tuple(group), size, (elements,))
            group, elements = [], 0
        group.append(piece)
        elements += count
    yield Unit(tuple(group), size, (elements,))
