"""Protocol buffers' text format in words: names, numbers, strings and signs, each with its line."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["name", "number", "string", "sign", "end"]

_WORD = re.compile(
    r"""(?P<blank>[ \t\r\n\v\f]+|\#[^\n]*)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<number>(?:0[xX][0-9A-Fa-f]+|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fF]?)(?![A-Za-z0-9_.]))
      | (?P<string>"(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*')
      | (?P<sign>[{}<>\[\]:,;/.-])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(
    r"\\(?:(?P<octal>[0-7]{1,3})|[xX](?P<hex>[0-9A-Fa-f]{1,2})|u(?P<short>[0-9A-Fa-f]{4})|U(?P<long>[0-9A-Fa-f]{8})"
    r"|(?P<one>.))"
)
_SIGNS = {"n": b"\n", "r": b"\r", "t": b"\t", "a": b"\a", "b": b"\b", "f": b"\f", "v": b"\v"} | {
    sign: sign.encode() for sign in "\\'\"?"
}


@dataclass(frozen=True)
class Token:
    """One word.

    Attributes:
        kind: What it is.
        text: As it is written; a string as it is meant.
        line: Where, from 1.
        column: Where in the line, from 1.
    """

    kind: Kind
    text: str
    line: int
    column: int


class TextProtoError(BadInputError):
    """A text proto that cannot be read.

    Attributes:
        line: Where, from 1.
        column: Where in the line, from 1.
        reason: What is wrong, without the place.
    """

    line = 1
    column = 1
    reason = ""

    @classmethod
    def at(cls, token: Token, reason: str) -> TextProtoError:
        """Return the error for a word, `reason` a sentence without its end."""
        error = cls(f"line {token.line}, column {token.column}: {reason}.")
        error.line, error.column, error.reason = token.line, token.column, reason
        return error


def tokens(text: str) -> Iterator[Token]:
    """Yield the words of a text, and `end` after the last.

    Raises:
        TextProtoError: Something is no word.
    """
    place, line, line_start = 0, 1, 0
    while place < len(text):
        found = _WORD.match(text, place)
        here = Token("sign", text[place], line, place - line_start + 1)
        if found is None:
            raise TextProtoError.at(here, _no_word(text, place))
        kind, word = str(found.lastgroup), found.group()
        if kind == "string":
            yield Token("string", _meant(word[1:-1], here), line, here.column)
        elif kind != "blank":
            yield Token(kind, word, line, here.column)  # type: ignore[arg-type]
        place = found.end()
        if breaks := word.count("\n"):
            line, line_start = line + breaks, found.start() + word.rindex("\n") + 1
    yield Token("end", "", line, place - line_start + 1)


def _no_word(text: str, place: int) -> str:
    if text[place] in "\"'":
        return "a string must end on its line with the sign it began with"
    if text[place].isdigit():
        return "a number must be followed by a space or a sign"
    return f"must be a name, number, string or sign, got {text[place]!r}"


def _meant(raw: str, where: Token) -> str:
    parts, place = [], 0
    for escape in _ESCAPE.finditer(raw):
        parts += [raw[place : escape.start()].encode("utf-8", "surrogatepass"), _escaped(escape, where)]
        place = escape.end()
    parts.append(raw[place:].encode("utf-8", "surrogatepass"))
    try:
        return b"".join(parts).decode()
    except UnicodeDecodeError:
        raise TextProtoError.at(where, "a string must be UTF-8") from None


def _escaped(escape: re.Match[str], where: Token) -> bytes:
    if escape["octal"]:
        return bytes([int(escape["octal"], 8) & 0xFF])
    if escape["hex"]:
        return bytes([int(escape["hex"], 16)])
    if point := escape["short"] or escape["long"]:
        number = int(point, 16)
        if number <= sys.maxunicode:
            return chr(number).encode("utf-8", "surrogatepass")
    elif escape["one"] in _SIGNS:
        return _SIGNS[escape["one"]]
    raise TextProtoError.at(where, f"a string must not hold the escape {escape.group()}")


def quoted(text: str) -> str:
    """Return a text as a string of the format, on one line."""
    signs = {'"': '\\"', "\\": "\\\\", "\n": "\\n"}
    return '"' + "".join(signs.get(sign, sign if sign.isprintable() else _octal(sign)) for sign in text) + '"'


def _octal(sign: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in sign.encode("utf-8", "replace"))
