"""The wire format by hand, where it saves a Python object for each number."""

from __future__ import annotations

from functools import cache
from typing import Any

_LENGTH_DELIMITED = 2
_MAX_VARINT = 5  # bytes of a 32-bit length


def add_packed(proto: Any, field: str, data: bytes) -> None:
    """Append values to a repeated field of a message.

    Args:
        proto: The message.
        field: Its field, of numbers or truth values.
        data: The values as they are packed on the wire: little-endian floats, or one byte for each truth value.
    """
    if data:
        proto.MergeFromString(b"".join((_tag(proto.DESCRIPTOR, field), varint(len(data)), data)))


def varint(value: int) -> bytes:
    """Return a whole number as the wire has it, seven bits a byte, the lowest first."""
    parts = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - what seven bits hold
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def join_strings(texts: list[bytes]) -> bytes:
    """Return strings as a tensor's raw content has them: all lengths, then all bytes."""
    return b"".join((*(varint(len(text)) for text in texts), *texts))


def split_strings(content: bytes, count: int) -> list[bytes]:
    """Return the strings of a tensor's raw content.

    Raises:
        ValueError: It does not hold exactly so many.
    """
    lengths, at = [], 0
    for _ in range(count):
        length, at = _read_varint(content, at)
        lengths.append(length)
    if at + sum(lengths) != len(content):
        raise ValueError(f"tensor_content does not hold {count} strings")
    texts = []
    for length in lengths:
        texts.append(content[at : at + length])
        at += length
    return texts


def _read_varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(content[at : at + _MAX_VARINT]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a number has no high bit
            return value, at + index + 1
    raise ValueError("tensor_content ends within a length")


@cache
def _tag(descriptor: Any, field: str) -> bytes:
    return varint(descriptor.fields_by_name[field].number << 3 | _LENGTH_DELIMITED)
