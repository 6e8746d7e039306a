"""What holds a packed file together: its first bytes, lengths, deflated parts and limits."""

from __future__ import annotations

import zlib
from typing import get_args

from workbench.core.artifact import Format
from workbench.core.errors import BadInputError
from workbench.evaluate.packing.coder import DamagedError, read_varint, varint
from workbench.evaluate.packing.dictionary import DICTIONARY

MAGIC = b"LWP\x01"
LARGEST = 1 << 30
DIGEST = 8
_RAW_DEFLATE = -15
_LONGEST_COUNT = 10
# Deflate alone reaches 1032; what a file of a few bytes may claim to be is bounded by the second figure.
_TURNS_ALWAYS, _TURNS_A_BYTE = 1 << 15, 2
_MOST_EXPANSION, _ALWAYS_ALLOWED = 2000, 1 << 20
FORMATS: tuple[str, ...] = get_args(Format)


def format_of(data: bytes) -> Format:
    """Return the format of the file inside.

    Raises:
        BadInputError: It is no packed file.
    """
    if not data.startswith(MAGIC) or len(data) <= len(MAGIC) or data[len(MAGIC)] >= len(FORMATS):
        raise BadInputError.of(
            "packed file", rule="is no packed model: its first bytes must be those of one", got=data[: len(MAGIC) + 1],
            hint="workbench.convert(model, 'packed') makes one",
        )  # fmt: skip
    found: Format = FORMATS[data[len(MAGIC)]]  # type: ignore[assignment]
    return found


def allowed(length: int, packed: int) -> bool:
    """Say whether a packed file may claim to hold so many bytes."""
    return length <= max(_ALWAYS_ALLOWED, packed * _MOST_EXPANSION)


def turns_allowed(packed: int) -> int:
    """Return how often a reader of so many bytes may work out probabilities anew, some 20 µs each."""
    return _TURNS_ALWAYS + _TURNS_A_BYTE * packed


def part(data: bytes) -> bytes:
    """Return bytes with their length before them."""
    return varint(len(data)) + data


def read_part(data: bytes, at: int) -> tuple[bytes, int]:
    """Return bytes whose length lies before them, and where the next part is."""
    length, at = read_varint(data, at)
    if length > len(data) - at:
        raise DamagedError("it ends too early")
    return data[at : at + length], at + length


def deflate(data: bytes, level: int = 9) -> bytes:
    """Deflate with the dictionary."""
    deflater = zlib.compressobj(level, zlib.DEFLATED, _RAW_DEFLATE, 9, zdict=DICTIONARY)
    return deflater.compress(data) + deflater.flush()


def inflate(data: bytes, length: int) -> bytes:
    """Undo `deflate`, to a table of tensors and at most `length` bytes."""
    inflater = zlib.decompressobj(_RAW_DEFLATE, zdict=DICTIONARY)
    # A tensor has more bytes than its row in the table, so that only the number of tensors comes on top.
    inflated = inflater.decompress(data, length + _LONGEST_COUNT)
    if not inflater.eof or inflater.unused_data:
        raise DamagedError("its deflated part is cut off or too long")
    return inflated
