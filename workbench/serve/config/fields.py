"""A message's fields by their types; what is left over is an error, as in protocol buffers' own reader."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workbench.serve.config.text_proto import Message, Scalar
from workbench.serve.config.tokens import TextProtoError, Token

if TYPE_CHECKING:
    from collections.abc import Iterable

_TRUE, _FALSE = ("true", "True", "t", "1"), ("false", "False", "f", "0")
_INTEGER = re.compile(r"0[xX][0-9A-Fa-f]+|0[0-7]*|[1-9][0-9]*")
_INT64 = 1 << 63
_MOST_DIGITS = 64  # more is refused before it is worked out


class Fields:
    """Reads a message of one type.

    Attributes:
        token: Where the message begins.
    """

    def __init__(self, message: Message, type_name: str) -> None:
        self.token = message.token
        self._type = type_name
        self._left: dict[str, list[tuple[Token, Scalar | Message]]] = {}
        for name, value in message.fields:
            self._left.setdefault(name.text, []).append((name, value))

    def text(self, name: str) -> str:
        """Return a string field, empty where it is not given."""
        found = self._one(name)
        return "" if found is None else _text(*found)

    def boolean(self, name: str) -> bool:
        """Return a bool field, false where it is not given."""
        found = self._one(name)
        return found is not None and _boolean(*found)

    def integer(self, name: str) -> int | None:
        """Return an int64 field."""
        found = self._one(name)
        return None if found is None else _integer(*found)

    def integers(self, name: str) -> list[int]:
        """Return a repeated int64 field."""
        return [_integer(token, value) for token, value in self._left.pop(name, [])]

    def wrapped(self, name: str) -> int | None:
        """Return the value of an `Int64Value` field."""
        inner = self.message(name, "google.protobuf.Int64Value")
        if inner is None:
            return None
        value = inner.integer("value")
        inner.end()
        return value or 0

    def message(self, name: str, type_name: str) -> Fields | None:
        """Return a message field."""
        found = self._one(name)
        return None if found is None else _message(*found, type_name)

    def messages(self, name: str, type_name: str) -> list[Fields]:
        """Return a repeated message field."""
        return [_message(token, value, type_name) for token, value in self._left.pop(name, [])]

    def choice(self, name: str) -> str:
        """Return an enum field as it is written, by name or number; empty where it is not given."""
        found = self._one(name)
        if found is None:
            return ""
        scalar = _scalar(*found, "a name")
        if scalar.token.kind == "string" or scalar.negative:
            raise TextProtoError.at(scalar.token, f"{name} must be a name, got {scalar.token.text!r}")
        return scalar.token.text

    def ignore(self, names: Iterable[str]) -> list[str]:
        """Skip fields that are known and of no use here, and return which were there."""
        return [name for name in names if self._left.pop(name, None) is not None]

    def error(self, reason: str) -> TextProtoError:
        """Return an error about the whole message."""
        return TextProtoError.at(self.token, reason)

    def end(self) -> None:
        """Say that all is read.

        Raises:
            TextProtoError: There is a field that the type does not have.
        """
        for every in self._left.values():
            token = every[0][0]
            raise TextProtoError.at(token, f'Message type "{self._type}" has no field named "{token.text}"')

    def _one(self, name: str) -> tuple[Token, Scalar | Message] | None:
        found = self._left.pop(name, None)
        if found is None:
            return None
        if len(found) > 1:
            raise TextProtoError.at(found[1][0], f'Non-repeated field "{name}" is specified multiple times')
        return found[0]


def _message(name: Token, value: Scalar | Message, type_name: str) -> Fields:
    if isinstance(value, Scalar):
        raise TextProtoError.at(value.token, f"{name.text} must be a message in braces, got {value.token.text!r}")
    return Fields(value, type_name)


def _scalar(name: Token, value: Scalar | Message, rule: str) -> Scalar:
    if isinstance(value, Message):
        raise TextProtoError.at(value.token, f"{name.text} must be {rule}, got a message")
    return value


def _text(name: Token, value: Scalar | Message) -> str:
    scalar = _scalar(name, value, "a string in quotes")
    if scalar.token.kind != "string":
        raise TextProtoError.at(scalar.token, f"{name.text} must be a string in quotes, got {scalar.token.text!r}")
    return scalar.token.text


def _boolean(name: Token, value: Scalar | Message) -> bool:
    scalar = _scalar(name, value, "true or false")
    word = scalar.token.text
    if scalar.token.kind == "string" or scalar.negative or word not in (*_TRUE, *_FALSE):
        raise TextProtoError.at(scalar.token, f"{name.text} must be true or false, got {word!r}")
    return word in _TRUE


def _integer(name: Token, value: Scalar | Message) -> int:
    scalar = _scalar(name, value, "a whole number")
    word = scalar.token.text
    if scalar.token.kind != "number" or not _INTEGER.fullmatch(word):
        raise TextProtoError.at(scalar.token, f"{name.text} must be a whole number, got {word!r}")
    digits = word.lower().removeprefix("0x")
    base = 16 if word[1:2] in ("x", "X") else 8 if word.startswith("0") else 10
    if len(digits) > _MOST_DIGITS or (number := int(digits, base)) >= _INT64 + scalar.negative:
        raise TextProtoError.at(scalar.token, f"{name.text} must fit in 64 bits, got {word[:40]}")
    return -number if scalar.negative else number
