"""Numbers in and out: the fast way says what the complete way says, and texts are TensorFlow Serving's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.serve.rest import json_read_fast
from workbench.serve.rest.json_read import parse_object
from workbench.serve.rest.json_read_fast import read_fast
from workbench.serve.rest.json_write import decimal, write_outputs, write_predictions
from workbench.serve.rest.predict_body import read_predict
from workbench.serve.signature import Signature, Tensor
from workbench.serve.status import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

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


@given(
    values=st.lists(st.one_of(FLOATS, st.floats(-0.125, 0.125, width=32)), min_size=1, max_size=20),
    dtype=st.sampled_from([np.float32, np.float64, np.float16]),
)
@settings(max_examples=300, deadline=None)
def test_an_array_is_spelled_as_its_numbers_are_one_by_one(values: list[float], dtype: Any) -> None:
    with np.errstate(over="ignore"):
        array = np.array(values, np.float32).astype(dtype)
    texts = [decimal(value, single=dtype is not np.float64) for value in array.tolist()]
    assert write_outputs({"y": array}) == f'{{"outputs":[{",".join(texts)}]}}'.encode()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_odd_numbers_are_spelled_as_one_by_one(dtype: Any) -> None:
    info = np.finfo(dtype)
    powers = 2.0 ** np.arange(info.minexp - info.nmant, info.maxexp, dtype=np.float64)
    tens = 10.0 ** np.arange(-37, 38)
    array = np.concatenate([powers, tens, -tens, tens * 1.2345678, [0, 999999, 1e6, 9.9999e-5]]).astype(dtype)
    texts = [decimal(value, single=dtype is np.float32) for value in array.tolist()]
    for part in (array, array[array > 1e-30]):
        expected = [text for text, value in zip(texts, array, strict=True) if value in part]
        assert write_outputs({"y": part})[len('{"outputs":[') : -2].decode().split(",") == expected


@pytest.mark.parametrize("shape", [(3,), (3, 2), (2, 3, 1), (2, 1, 2, 2), (0, 2)])
def test_rows_of_several_outputs(shape: tuple[int, ...]) -> None:
    generator = np.random.default_rng(0)
    outputs = {
        "floats": generator.random(shape).astype(np.float32),
        "ints": np.arange(shape[0]),
        "texts": np.array([b"],["] * shape[0], dtype=object),
    }
    read = json.loads(write_predictions(outputs))["predictions"]
    assert len(read) == shape[0]
    for index, row in enumerate(read):
        assert np.array(row["floats"], np.float32).tolist() == outputs["floats"][index].tolist()
        assert (row["ints"], row["texts"]) == (index, "],[")


def find(*tensors: Tensor) -> Callable[[str], Signature]:
    return lambda _: Signature(tensors, ())


def slowly(body: bytes, *tensors: Tensor) -> Any:
    try:
        read = read_predict(parse_object(body), find(*tensors or (X,)))
    except RequestError:
        return None
    if not all(tensor.admits(read.feeds[tensor.name].shape) for tensor in tensors or (X,)):
        return None
    return shown(read)


def shown(read: Any) -> Any:
    feeds = {name: (array.shape, array.dtype, array.tolist()) for name, array in read.feeds.items()}
    return read.signature, read.by_row, feeds


@given(
    rows=st.lists(st.lists(st.lists(FLOATS, min_size=1, max_size=1), min_size=2, max_size=2), min_size=1, max_size=4),
    key=st.sampled_from(["instances", "inputs"]),
    indent=st.sampled_from([None, 1]),
    signature=st.sampled_from([None, "serving_default"]),
    order=st.sampled_from([1, -1]),
)
@settings(max_examples=60, deadline=None)
def test_fast_reads_what_slow_reads(rows: Any, key: str, indent: int | None, signature: str | None, order: int) -> None:
    named = {"signature_name": signature} if signature else {}
    document = dict([*named.items(), (key, rows)][::order])
    body = json.dumps(document, indent=indent).encode()
    read = read_fast(body, find(X))
    if any(abs(value) == float("inf") for row in rows for (value,) in row):
        assert read is None
        return
    assert read is not None
    assert shown(read) == slowly(body)


@pytest.mark.parametrize(
    ("tensor", "value"),
    [
        (Tensor("x", "int64", (-1, 2)), [[1, -2], [1 << 62, 0]]),
        (Tensor("x", "uint64", (-1,)), [1, (1 << 64) - 1]),
        (Tensor("x", "uint8", (-1, 2)), [[0, 255]]),
        (Tensor("x", "float64", (-1,)), [1, 0.1, 1e300]),
        (Tensor("x", "float32", (-1,)), [1e300, -1e300]),
        (Tensor("x", "float16", (-1, 1)), [[0.5]]),
        (Tensor("x", "float32", (-1, -1, 2)), [[[1, 2], [3, 4], [5, 6]]]),
        (Tensor("x", "float32", (), unknown_rank=True), [[1, 2], [3, 4]]),
        (Tensor("x", "float32", (3,)), [1, 2, 3]),
    ],
)
def test_other_types_and_shapes_are_read_fast(tensor: Tensor, value: Any) -> None:
    body = json.dumps({"instances": value}).encode()
    read = read_fast(body, find(tensor))
    assert read is not None
    assert shown(read) == slowly(body, tensor)


def test_named_inputs_are_read_fast() -> None:
    a, b = Tensor("a", "float32", (-1, 2)), Tensor("b", "int32", (-1,))
    body = b'{"inputs": {"b": [1, 2, 3], "a": [[1, 2]]}, "signature_name": "s"}'
    read = read_fast(body, find(a, b))
    assert read is not None
    assert shown(read) == slowly(body, a, b)


@pytest.mark.parametrize(
    ("tensor", "body"),
    [
        (X, b'{"instances": [[[1], []]]}'),
        (X, b'{"instances": [[[1], [true]]]}'),
        (X, b'{"instances": [[[1], ["2"]]]}'),
        (X, b'{"instances": [[[1], [{}]]]}'),
        (X, b'{"instances": [[[1], [NaN]]]}'),
        (X, b'{"instances": [[[1], [2]]]} trailing'),
        (X, b'{"instances": [[[1], [2]]], "more": [1]}'),
        (X, b'{"instances": [[[1], [2]]], "instances": [[[1], [2]]]}'),
        (X, b'{"instances": [[[1], [2]]], "inputs": [[[1], [2]]]}'),
        (X, b'{"instances": [{"x": [[1], [2]]}]}'),
        (X, b'{"signature_name": 5, "instances": [[[1], [2]]]}'),
        (X, b'{"signature_name": "[,]", "instances": [[[1], [2]]]}'),
        (X, b'{"instances": []}'),
        (X, b'{"instances": 5}'),
        (X, b'{"inputs": 5}'),
        (X, b'{"inputs": {"x": 5}}'),
        (X, b'{"inputs": null}'),
        (X, b"[]"),
        (X, b""),
        (Tensor("x", "uint8", (-1,)), b'{"instances": [256]}'),
        (Tensor("x", "int64", (-1,)), b'{"instances": [1.0]}'),
        (Tensor("x", "string", (-1,)), b'{"instances": ["a"]}'),
        (Tensor("x", "bool", (-1,)), b'{"instances": [true]}'),
        (Tensor("x", "float32", (-1, -1)), b'{"instances": [[1, 2], [3]]}'),
        (Tensor("x", "float32", (-1, 1)), b'{"instances": [[], [1]]}'),
    ],
)
def test_the_unusual_is_left_to_the_complete_way(tensor: Tensor, body: bytes) -> None:
    assert read_fast(body, find(tensor)) is None


def test_without_simdjson_all_goes_the_complete_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_read_fast, "simdjson", None)
    assert read_fast(b'{"instances": [[[1], [2]]]}', find(X)) is None


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_body_is_never_read_otherwise(data: st.DataObject) -> None:
    body = bytearray(b'{"instances": [[[1.5], [2]], [[-3e1], [4]]]}')
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body) - 1))
        what = data.draw(st.sampled_from(list(b'[]{},:" 0123.eE+-ntf')))
        how = data.draw(st.sampled_from(["replace", "insert", "delete"]))
        body[at : at + (how != "insert")] = bytes([what] if how != "delete" else [])
    read = read_fast(bytes(body), find(X))
    if read is not None:
        assert shown(read) == slowly(bytes(body))
