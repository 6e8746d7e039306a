"""Long bodies: decoded as the standard library decodes them, and written with names for what is no number."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.serve.rest.json_read import parse_object, shown
from workbench.serve.rest.json_steps import decode, may_be_too_big
from workbench.serve.rest.json_write import write_outputs, write_predictions
from workbench.serve.status import RequestError

PLAIN = json.JSONDecoder()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)
SCRAPS = ["", ",", "[", "]", "{", "}", '"', ":", " ", "\n", "NaN", "-Infinity", "1e999", "-", "tru", "\\u12", "\x00"]


def outcome(decoding: Any) -> Any:
    try:
        return repr(decoding())
    except json.JSONDecodeError as error:
        return error.msg, error.pos


@settings(max_examples=300)
@given(VALUES, st.integers(0, 200), st.integers(0, 3), st.sampled_from(SCRAPS))
def test_every_text_is_decoded_as_at_once(value: Any, at: int, cut: int, scrap: str) -> None:
    text = json.dumps(value, ensure_ascii=False)
    text = text[:at] + scrap + text[at + cut :]
    assert outcome(lambda: decode(PLAIN, text, 0)) == outcome(lambda: PLAIN.raw_decode(text, 0)[0])


@pytest.mark.parametrize("place", [0, 1, 65_400, 65_535, 65_536, 65_700, 131_071])
@pytest.mark.parametrize("number", ["9" * 309 + ".5", "1e999", "1E+400"])
def test_a_number_too_big_is_seen_wherever_it_stands(place: int, number: str) -> None:
    text = " " * place + number + " " * 1000
    assert may_be_too_big(text)
    assert not may_be_too_big(text.replace(number, "1.5e-300,123456789e12"))
    with pytest.raises(RequestError, match="Number too big to be stored in double"):
        parse_object(b'{"x":' + text.encode() + b"," + b" " * 300_000 + b'"y":1}')


def test_a_long_body_says_where_it_is_wrong() -> None:
    rows = "[1.5, NaN]," * 40_000
    assert len(parse_object(f'{{"instances": [{rows}[1]]}} and more'.encode())["instances"]) == 40_001
    with pytest.raises(RequestError) as refused:
        parse_object(f'{{"instances": [{rows}[1}}'.encode())
    place = len('{"instances": [') + len(rows) + 2
    missing = "Missing a comma, or the end of an object or array."
    assert refused.value.message == f"JSON Parse error: {missing} at offset: {place}"


@pytest.mark.parametrize("value", ["a" * 1000, list(range(1000)), {str(number): number for number in range(1000)}])
def test_what_is_shown_is_cut(value: Any) -> None:
    assert shown(value) == json.dumps(value)[:256] + "…"
    assert shown(["a", {"b": 1.5}]) == '["a", {"b": 1.5}]'


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_many_numbers_of_which_some_are_none(dtype: Any) -> None:
    array = np.random.default_rng(0).random((50_000, 2)).astype(dtype)
    array[0, 1], array[7, 0], array[-1, -1] = math.nan, math.inf, -math.inf
    text = write_predictions({"y": array})
    assert (text.count(b"NaN"), text.count(b"Infinity"), text.count(b"-Infinity")) == (1, 2, 1)
    np.testing.assert_array_equal(np.array(json.loads(text)["predictions"]).astype(dtype), array)
    np.testing.assert_array_equal(np.array(json.loads(write_outputs({"y": array}))["outputs"]).astype(dtype), array)
