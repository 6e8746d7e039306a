"""Numbers in and out: the fast way says what the complete way says, and texts are TensorFlow Serving's."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.serve.rest.json_read import parse_object
from workbench.serve.rest.json_read_fast import read_fast
from workbench.serve.rest.json_write import decimal, write_outputs, write_predictions
from workbench.serve.rest.predict_body import read_predict
from workbench.serve.signature import Signature, Tensor
from workbench.serve.status import RequestError

FLOATS = st.floats(width=32, allow_nan=False)
X = Tensor("x", "float32", (-1, 2, 1))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (0.2, "0.2"),
        (0.5, "0.5"),
        (1 / 3, "0.33333334"),
        (123456.0, "123456.0"),
        (9e6, "9e+06"),
        (3e-5, "3e-05"),
        (0.0001, "0.0001"),
        (3.4028235e38, "3.4028235e+38"),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
    ],
)
def test_float32_texts(value: float, text: str) -> None:
    assert decimal(float(np.float32(value)), single=True) == text


def test_float64_text() -> None:
    assert decimal(1 / 3, single=False) == "0.3333333333333333"


@pytest.mark.parametrize("count", [3, 300])
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_every_float32_reads_back(count: int, data: st.DataObject) -> None:
    some = data.draw(st.lists(FLOATS, min_size=3, max_size=3))
    array = np.resize(np.array(some, np.float32), count)
    read = json.loads(write_predictions({"y": array}))["predictions"]
    assert np.array(read, np.float32).tobytes() == array.tobytes()


def test_halves_are_written() -> None:
    array = np.arange(600, dtype=np.float16)
    assert json.loads(write_outputs({"y": array}))["outputs"] == list(range(600))


def slowly(body: bytes) -> Any:
    try:
        read = read_predict(parse_object(body), lambda _: Signature((X,), ()))
    except RequestError:
        return None
    return read.feeds["x"].tolist() if X.admits(read.feeds["x"].shape) else None


@given(
    rows=st.lists(st.lists(st.lists(FLOATS, min_size=1, max_size=1), min_size=2, max_size=2), min_size=1, max_size=4),
    key=st.sampled_from(["instances", "inputs"]),
    indent=st.sampled_from([None, 1]),
    signature=st.sampled_from([None, "serving_default"]),
)
@settings(max_examples=60, deadline=None)
def test_fast_reads_what_slow_reads(rows: Any, key: str, indent: int | None, signature: str | None) -> None:
    document = {"signature_name": signature} if signature else {}
    body = json.dumps({**document, key: rows}, indent=indent).encode()
    read = read_fast(body, X.shape, X.dtype)
    if any(abs(value) == float("inf") for row in rows for (value,) in row):
        assert read is None
        return
    assert read is not None
    assert (read[0], read[1], read[2].tolist()) == (signature, key, slowly(body))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_body_is_never_read_otherwise(data: st.DataObject) -> None:
    body = bytearray(b'{"instances": [[[1.5], [2]], [[-3e1], [4]]]}')
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body) - 1))
        what = data.draw(st.sampled_from(list(b'[]{},:" 0123.eE+-ntf')))
        how = data.draw(st.sampled_from(["replace", "insert", "delete"]))
        body[at : at + (how != "insert")] = bytes([what] if how != "delete" else [])
    read = read_fast(bytes(body), X.shape, X.dtype)
    if read is not None:
        assert read[2].tolist() == slowly(bytes(body))
