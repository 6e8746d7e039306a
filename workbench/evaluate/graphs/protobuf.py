"""Messages of protocol buffers without their schema: what a SavedModel is written in.

Field numbers are those of tensorflow/core/protobuf/saved_model.proto and the messages inside it.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARINT, _LONG, _BYTES, _SHORT = 0, 1, 2, 5
_LONGEST = 10


class Message:
    """One message: its fields by number, read when they are asked for."""

    def __init__(self, data: bytes) -> None:
        """Take a message apart.

        Raises:
            ValueError: It is none.
        """
        self._fields: dict[int, list[Any]] = {}
        for number, value in _fields(data):
            self._fields.setdefault(number, []).append(value)

    def number(self, field: int, otherwise: int = 0) -> int:
        """Return a whole number."""
        value = self._fields.get(field, [otherwise])[-1]
        return int(value) if isinstance(value, int) else otherwise

    def numbers(self, field: int) -> list[int]:
        """Return repeated whole numbers, packed or not."""
        found: list[int] = []
        for value in self._fields.get(field, ()):
            found += [value] if isinstance(value, int) else _packed(value)
        return [_signed(value) for value in found]

    def real(self, field: int) -> float:
        """Return a number of 32 bits."""
        value = self._fields.get(field, [b"\0\0\0\0"])[-1]
        return float(struct.unpack("<f", value)[0]) if isinstance(value, bytes) and len(value) == 4 else 0.0  # noqa: PLR2004

    def content(self, field: int) -> bytes:
        """Return bytes."""
        value = self._fields.get(field, [b""])[-1]
        return value if isinstance(value, bytes) else b""

    def text(self, field: int) -> str:
        """Return a string."""
        return self.content(field).decode(errors="replace")

    def texts(self, field: int) -> list[str]:
        """Return repeated strings."""
        return [value.decode(errors="replace") for value in self._fields.get(field, ()) if isinstance(value, bytes)]

    def message(self, field: int) -> Message:
        """Return a message inside; an empty one where there is none."""
        return Message(self.content(field))

    def messages(self, field: int) -> Iterator[Message]:
        """Give repeated messages."""
        return (Message(value) for value in self._fields.get(field, ()) if isinstance(value, bytes))

    def mapped(self, field: int) -> dict[str, Message]:
        """Return a map from strings to messages."""
        return {entry.text(1): entry.message(2) for entry in self.messages(field)}

    def has(self, field: int) -> bool:
        """Say whether a field is there."""
        return field in self._fields


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield tag >> 3, value
            continue
        size = 8 if kind == _LONG else 4
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif kind not in (_LONG, _SHORT):
            raise ValueError(f"wire type {kind}")
        if size > len(data) - at:
            raise ValueError("a field is longer than its message")
        yield tag >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(_LONGEST):
        if at >= len(data):
            raise ValueError("it ends inside a number")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004 - the high bit says that more follow
            return value, at
    raise ValueError("a number is too long")


def _packed(data: bytes) -> list[int]:
    found, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        found.append(value)
    return found


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value
