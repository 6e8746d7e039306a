"""The packed file: `pack` writes it, `unpack` gives back the very same bytes, `Packer` answers how long it would be.

```
b"LWP" version   format   length of the original   first 8 bytes of its sha256
length  deflated: table of tensors, then the file without them
length  parameters of the tensors
symbols of the tensors, entropy-coded, to the end
```
Numbers are base-128. A file without tensors, or whose tensors deflate makes smaller than this does, is deflated as it
is, with an empty table.
"""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.artifact import gzip_length
from workbench.core.errors import BadInputError
from workbench.evaluate.packing.coder import DamagedError, PackReader, PackWriter, read_varint, varint
from workbench.evaluate.packing.frame import (
    DIGEST,
    FORMATS,
    LARGEST,
    MAGIC,
    allowed,
    deflate,
    format_of,
    inflate,
    part,
    read_part,
    turns_allowed,
)
from workbench.evaluate.packing.locate import locate
from workbench.evaluate.packing.ranges import read_table, table, units
from workbench.evaluate.packing.tensors import coding_of_unit, read_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from workbench.core.artifact import Format
    from workbench.evaluate.packing.ranges import Range, Unit
    from workbench.evaluate.packing.tensors import UnitCoding

_LARGEST_CODED = 1 << 28
_LEVELS = (6, 9)  # neither is always the smaller one


def pack(data: bytes, format: Format) -> bytes:  # noqa: A002 - what it is called everywhere
    """Pack a model file without loss.

    Args:
        data: The whole file; any bytes will do.
        format: What it is; tensors are found in ONNX, TFLite and `.keras` files, others are deflated.

    Raises:
        BadInputError: The file is larger than 1 GiB.
    """
    return Packer(data, format).pack()


def unpack(data: bytes, *, largest: int = LARGEST) -> bytes:
    """Return the file that was packed, byte for byte.

    Args:
        data: What `pack` returned, or anything: nothing is made before its length was checked.
        largest: Refuse what claims to be longer, in bytes.

    Raises:
        BadInputError: It is no packed file, damaged, or too large.
    """
    try:
        return _unpack(data, largest)
    except (DamagedError, zlib.error, ValueError, IndexError, OverflowError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BadInputError.of(
            "packed file", rule=f"is truncated or damaged ({reason})", got=f"{len(data)} bytes",
            hint="copy it again or pack the model anew",
        ) from error  # fmt: skip


class Packer:
    """Packs one file again and again with other values in its tensors; what stays is done once.

    Attributes:
        ranges: Where the tensors are, in the file's order, by name.
    """

    def __init__(self, data: bytes, format: Format) -> None:  # noqa: A002 - as in `pack`
        """Find the tensors and deflate the rest.

        Raises:
            BadInputError: The file is larger than 1 GiB.
        """
        if len(data) > LARGEST:
            raise BadInputError.of("file", rule=f"must be at most {LARGEST} bytes to be packed", got=len(data))
        self._data = data
        self._format = FORMATS.index(format)
        self.ranges: tuple[Range, ...] = tuple(locate(data, format))
        if sum(each.length for each in self.ranges) > _LARGEST_CODED:
            self.ranges = ()
        self._units = units(self.ranges)
        self._values = b"".join(data[each.offset : each.end] for each in self.ranges)
        self._rest = deflate(table(self.ranges) + _without(data, self.ranges))
        self._known: dict[Unit, tuple[bytes, UnitCoding]] = {}

    def file(self, tensors: Mapping[str, np.ndarray]) -> bytes:
        """Return the file itself with other values in the named tensors.

        Args:
            tensors: As for `pack`.

        Raises:
            BadInputError: As for `pack`.
        """
        return _joined(self._data, self.ranges, self._replaced(tensors))

    def pack(self, tensors: Mapping[str, np.ndarray] | None = None) -> bytes:
        """Return the packed file, with other values in the named tensors.

        Args:
            tensors: Values by name, of the shape and type that the file has.

        Raises:
            BadInputError: A tensor is none of the file's, or another type or shape.
        """
        values = self._replaced(tensors or {})
        return self._header(_joined(self._data, self.ranges, values)) + self._smallest(values)

    def size(self, tensors: Mapping[str, np.ndarray] | None = None, gzipped: Callable[[], int] | None = None) -> int:
        """Return the exact length of what `pack` would return.

        Args:
            tensors: As for `pack`.
            gzipped: Returns the `gzip_length` of the file with them, where the caller finds it out anyway.

        Raises:
            BadInputError: As for `pack`.
        """
        return self._header_length + len(self._smallest(self._replaced(tensors or {}), gzipped))

    @property
    def _header_length(self) -> int:
        return len(MAGIC) + 1 + len(varint(len(self._data))) + DIGEST

    def _header(self, original: bytes) -> bytes:
        digest = hashlib.sha256(original).digest()[:DIGEST]
        return MAGIC + bytes([self._format]) + varint(len(original)) + digest

    def _smallest(self, values: bytes, gzipped: Callable[[], int] | None = None) -> bytes:
        """Return what follows the header: the tensors coded, or all of it deflated."""
        body, fits = self._body(values)
        if not self.ranges:
            return body
        original = b"" if gzipped is not None else _joined(self._data, self.ranges, values)
        if fits and self._header_length + len(body) < (gzipped() if gzipped is not None else gzip_length(original)):
            return body
        # Rounded floats repeat byte for byte where no codebook is long enough; and of hardly anything but constants,
        # deflate keeps to a ratio that a reader can insist on.
        original = original or _joined(self._data, self.ranges, values)
        options = [part(deflate(table(()) + original, level)) + part(b"") for level in _LEVELS]
        return min([body, *options] if fits else options, key=len)

    def _body(self, values: bytes) -> tuple[bytes, bool]:
        """Return what follows the header, and whether a reader would take it."""
        writer = PackWriter()
        for unit in self._units:
            content = b"".join(values[start:end] for start, end in unit.pieces)
            known = self._known.get(unit)
            # Sliders move kernels: biases and scales stay as they are.
            coding = known[1] if known is not None and known[0] == content else coding_of_unit(content, unit)
            self._known[unit] = content, coding
            coding.write(writer)
        body = part(self._rest) + part(bytes(writer.plan)) + writer.coded()
        length = self._header_length + len(body)
        return body, allowed(len(self._data), length) and writer.turns <= turns_allowed(length)

    def _replaced(self, tensors: Mapping[str, np.ndarray]) -> bytes:
        if not tensors:
            return self._values
        parts, start, left = [], 0, dict(tensors)
        for each in self.ranges:
            end = start + each.length
            given = left.pop(each.name, None)
            if given is not None and (given.itemsize != each.size or given.shape != each.shape):
                raise BadInputError.of(
                    each.name, rule=f"must have the shape {each.shape} and {each.size} bytes an element",
                    got=(given.shape, given.dtype.name),
                )  # fmt: skip
            parts.append(self._values[start:end] if given is None else _little(given))
            start = end
        if left:
            raise BadInputError.of("tensors", rule="must be large tensors of the file", got=sorted(left))
        return b"".join(parts)


def _unpack(data: bytes, largest: int) -> bytes:
    format_of(data)
    length, at = read_varint(data, len(MAGIC) + 1)
    if length > largest:
        raise DamagedError(f"it claims {length} bytes, the limit is {largest}")
    if not allowed(length, len(data)):
        raise DamagedError(f"it claims {length} bytes")
    digest = data[at : at + DIGEST]
    rest, at = read_part(data, at + DIGEST)
    plan, at = read_part(data, at)
    inflated = inflate(rest, length)
    ranges, start = read_table(inflated, length)
    skeleton = inflated[start:]
    if len(skeleton) + sum(each.length for each in ranges) != length:
        raise DamagedError("its parts do not add up to its length")
    original = _joined_from(
        skeleton, ranges, _read_values(PackReader(plan, data[at:], turns_allowed(len(data))), ranges)
    )
    if hashlib.sha256(original).digest()[:DIGEST] != digest:
        raise DamagedError("its checksum differs")
    return original


def _read_values(reader: PackReader, ranges: Sequence[Range]) -> bytes:
    values = bytearray(sum(each.length for each in ranges))
    for unit in units(ranges):
        content, start = read_unit(reader, unit), 0
        for first, last in unit.pieces:
            values[first:last] = content[start : start + last - first]
            start += last - first
    reader.finish()
    return bytes(values)


def _without(data: bytes, ranges: Sequence[Range]) -> bytes:
    starts = [0, *(each.end for each in ranges)]
    ends = [*(each.offset for each in ranges), len(data)]
    return b"".join(data[start:end] for start, end in zip(starts, ends, strict=True))


def _joined(data: bytes, ranges: Sequence[Range], values: bytes) -> bytes:
    return _joined_from(_without(data, ranges), ranges, values)


def _joined_from(skeleton: bytes, ranges: Sequence[Range], values: bytes) -> bytes:
    parts, at, end, start = [], 0, 0, 0
    for each in ranges:
        gap = each.offset - end
        parts += [skeleton[at : at + gap], values[start : start + each.length]]
        at, end, start = at + gap, each.end, start + each.length
    return b"".join([*parts, skeleton[at:]])


def _little(values: np.ndarray) -> bytes:
    return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
