"""The text format itself: what is read, and where what is not is said to be wrong."""

from __future__ import annotations

import contextlib
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.serve.config.fields import Fields
from workbench.serve.config.text_proto import Message, parse
from workbench.serve.config.tokens import TextProtoError


def plain(message: Message) -> list[tuple[str, Any]]:
    """A message as names and words, `-` before a negative one."""
    return [
        (name.text, plain(value) if isinstance(value, Message) else "-" * value.negative + value.token.text)
        for name, value in message.fields
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("# only a comment", []),
        ("a: 1", [("a", "1")]),
        ("a:1 b:2,c:3;d:4", [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")]),
        ("a { b: 1 } c: { } d < e: 2 > f: <>", [("a", [("b", "1")]), ("c", []), ("d", [("e", "2")]), ("f", [])]),
        ("a: [1, 2] b: [] c [{d: 1}, <>]", [("a", "1"), ("a", "2"), ("c", [("d", "1")]), ("c", [])]),
        ("a: -1 b: - 2 c: -inf", [("a", "-1"), ("b", "-2"), ("c", "-inf")]),
        ("a: 'x' \"y\" # and\n 'z'", [("a", "xyz")]),
        (
            "a: 0x1F b: 017 c: 1.5e3f d: .5 e: 2.",
            [("a", "0x1F"), ("b", "017"), ("c", "1.5e3f"), ("d", ".5"), ("e", "2.")],
        ),
        ("[type.googleapis.com/x.Y] { a: 1 }", [("[type.googleapis.com/x.Y]", [("a", "1")])]),
        ("a: TENSORFLOW", [("a", "TENSORFLOW")]),
        (r"a: '\n\t\\\'\"\101\x41\u00e9\U0001F600\?' b: 'é'", [("a", "\n\t\\'\"AAé😀?"), ("b", "é")]),
        (r"a: '\303\251'", [("a", "é")]),
    ],
)
def test_what_is_read(text: str, found: list[tuple[str, Any]]) -> None:
    assert plain(parse(text)) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "line 1, column 2: must be a ':' or '{', got the end of the text."),
        ("a: 1\nb 2", "line 2, column 3: must be a ':' or '{', got '2'."),
        ("a {\n\n  b: 1\n", "line 4, column 1: must go on to a '}', got the end of the text."),
        ("a { b: 1 >", "line 1, column 10: must be a field's name, got '>'."),
        ("a: 'x\n'", "line 1, column 4: a string must end on its line with the sign it began with."),
        ("a: \"x'", "line 1, column 4: a string must end on its line with the sign it began with."),
        ("a: 12x", "line 1, column 4: a number must be followed by a space or a sign."),
        ("a: 1\n  %", "line 2, column 3: must be a name, number, string or sign, got '%'."),
        ("a: [1 2]", "line 1, column 7: must be a ',' or ']', got '2'."),
        ("a: [1,", "line 1, column 7: must be a value, got the end of the text."),
        ("a: -'x'", "line 1, column 5: must be a value, got 'x'."),
        (": 1", "line 1, column 1: must be a field's name, got ':'."),
        ("a:: 1", "line 1, column 3: must be a value, got ':'."),
        (r"a: '\q'", r"line 1, column 4: a string must not hold the escape \q."),
        (r"a: '\U99999999'", r"line 1, column 4: a string must not hold the escape \U99999999."),
        (r"a: '\377'", "line 1, column 4: a string must be UTF-8."),
        (r"a: '\ud800'", "line 1, column 4: a string must be UTF-8."),
        ("[a", "line 1, column 3: must be part of a name in brackets, got the end of the text."),
        ("a {" * 200, "line 1, column 303: must not be deeper than 100 messages."),
    ],
)
def test_what_is_not(text: str, message: str) -> None:
    with pytest.raises(TextProtoError) as caught:
        parse(text)
    assert str(caught.value) == message


def test_ten_thousand_levels_are_an_error_and_no_crash() -> None:
    with pytest.raises(TextProtoError, match="deeper than 100"):
        parse("a{" * 10_000 + "}" * 10_000)


@given(
    st.text(alphabet=string.printable + "é\0\ud800", max_size=60)
    | st.text(alphabet="ab:{}<>[],;-'\"\\ 1x.#\n", max_size=40)
)
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(TextProtoError):
        assert isinstance(parse(text), Message)


def fields(text: str) -> Fields:
    return Fields(parse(text), "x.Type")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("n: 0", 0), ("n: -5", -5), ("n: 0x10", 16), ("n: 010", 8), ("n: 9223372036854775807", 2**63 - 1)),
        ("n: -9223372036854775808", -(2**63)),
    ],
)
def test_integers(text: str, number: int) -> None:
    assert fields(text).integer("n") == number


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("n: 1.5", "n must be a whole number, got '1.5'"),
        ("n: 'x'", "n must be a whole number, got 'x'"),
        ("n: 09", "n must be a whole number, got '09'"),
        ("n: 9223372036854775808", "n must fit in 64 bits, got 9223372036854775808"),
        ("n: -9223372036854775809", "n must fit in 64 bits, got 9223372036854775809"),
        ("n: " + "9" * 5000, "n must fit in 64 bits, got " + "9" * 40),
        ("n {}", "n must be a whole number, got a message"),
        ("n: 1 n: 2", 'Non-repeated field "n" is specified multiple times'),
    ],
)
def test_no_integers(text: str, reason: str) -> None:
    with pytest.raises(TextProtoError) as caught:
        fields(text).integer("n")
    assert caught.value.reason == reason


def test_the_other_types() -> None:
    one = fields("a: true b: f c: 0 s: 't' e: NAME m { value: 7 } r: [1, 2] r: 3 w {}")
    assert (one.boolean("a"), one.boolean("b"), one.boolean("c"), one.boolean("absent")) == (True, False, False, False)
    assert (one.text("s"), one.text("absent"), one.choice("e"), one.choice("absent")) == ("t", "", "NAME", "")
    assert (one.wrapped("m"), one.wrapped("w"), one.wrapped("absent"), one.integers("r")) == (7, 0, None, [1, 2, 3])
    one.end()
    with pytest.raises(TextProtoError, match='line 2, column 1: Message type "x'):
        fields("\nodd: 1").end()
    for text, ask in (("b: 'true'", "boolean"), ("b: 2", "boolean"), ("b: yes", "text"), ("b: 1", "message")):
        with pytest.raises(TextProtoError, match="b must be"):
            getattr(fields(text), ask)("b", *(["x.Other"] if ask == "message" else []))
