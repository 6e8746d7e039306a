"""Protocol buffers' text format, read without knowing the message: fields by name, each with its line.

The grammar is https://protobuf.dev/reference/protobuf/textformat-spec: `name: value`, `name { … }`, `name < … >`,
`name: [a, b]`, fields apart by nothing, `,` or `;`, strings side by side are one, `#` begins a comment.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.serve.config.tokens import TextProtoError, Token, tokens

_DEEPEST = 100
_ENDS = {"{": "}", "<": ">"}


@dataclass(frozen=True)
class Scalar:
    """A value that is no message.

    Attributes:
        token: Its word; a string whose parts stood side by side is one.
        negative: A `-` stood before it.
    """

    token: Token
    negative: bool = False


@dataclass(frozen=True)
class Message:
    """A message.

    Attributes:
        token: Where it begins.
        fields: Its fields as they are written, also the same one many times.
    """

    token: Token
    fields: tuple[tuple[Token, Scalar | Message], ...]


def parse(text: str) -> Message:
    """Read a text proto.

    Raises:
        TextProtoError: It is none; the line and the column are named.
    """
    parser = _Parser(text)
    return Message(Token("sign", "", 1, 1), parser.fields("", depth=0))


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = tokens(text)
        self._next = next(self._tokens)

    def fields(self, end: str, depth: int) -> tuple[tuple[Token, Scalar | Message], ...]:
        """Read fields up to an end sign, or the text's end."""
        found: list[tuple[Token, Scalar | Message]] = []
        while not self._at_end(end):
            name = self._name()
            # A message needs no colon; a value does.
            colon = self._skip(":")
            if self._next.text == "[" and self._next.kind == "sign":
                found += [(name, value) for value in self._list(depth)]
            else:
                found.append((name, self._value(depth, colon=colon)))
            if not self._skip(","):
                self._skip(";")
        return tuple(found)

    def _at_end(self, end: str) -> bool:
        if self._next.kind == "end":
            if end:
                raise TextProtoError.at(self._next, f"must go on to a {end!r}, got the end of the text")
            return True
        return bool(end) and self._skip(end)

    def _name(self) -> Token:
        if self._next.kind == "name":
            return self._take()
        if not self._is_sign("["):
            raise TextProtoError.at(self._next, f"must be a field's name, got {self._shown()}")
        first, parts = self._take(), ""
        while not self._is_sign("]"):
            if self._next.kind not in ("name", "sign") or self._next.text in ("{", "}", "[", ":"):
                raise TextProtoError.at(self._next, f"must be part of a name in brackets, got {self._shown()}")
            parts += self._take().text
        self._take()
        return Token("name", f"[{parts}]", first.line, first.column)

    def _list(self, depth: int) -> list[Scalar | Message]:
        self._take()
        found: list[Scalar | Message] = []
        while not self._is_sign("]"):
            if found and not self._skip(","):
                raise TextProtoError.at(self._next, f"must be a ',' or ']', got {self._shown()}")
            found.append(self._value(depth, colon=True))
        self._take()
        return found

    def _value(self, depth: int, *, colon: bool) -> Scalar | Message:
        if self._next.kind == "sign" and self._next.text in _ENDS:
            return self._message(depth + 1)
        if not colon:
            raise TextProtoError.at(self._next, f"must be a ':' or '{{', got {self._shown()}")
        negative = self._skip("-")
        if self._next.kind == "string" and not negative:
            return Scalar(self._string())
        if self._next.kind not in ("name", "number"):
            raise TextProtoError.at(self._next, f"must be a value, got {self._shown()}")
        return Scalar(self._take(), negative)

    def _message(self, depth: int) -> Message:
        if depth > _DEEPEST:
            raise TextProtoError.at(self._next, f"must not be deeper than {_DEEPEST} messages")
        start = self._take()
        return Message(start, self.fields(_ENDS[start.text], depth))

    def _string(self) -> Token:
        first = self._take()
        text = first.text
        while self._next.kind == "string":
            text += self._take().text
        return Token("string", text, first.line, first.column)

    def _is_sign(self, sign: str) -> bool:
        return self._next.kind == "sign" and self._next.text == sign

    def _skip(self, sign: str) -> bool:
        if self._is_sign(sign):
            self._take()
            return True
        return False

    def _take(self) -> Token:
        taken, self._next = self._next, next(self._tokens, self._next)
        return taken

    def _shown(self) -> str:
        return repr(self._next.text) if self._next.kind != "end" else "the end of the text"
