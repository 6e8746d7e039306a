"""Arrays to JSON and back, and what is remembered of a model."""

from __future__ import annotations

import json

import numpy as np
import pytest

from workbench.serve.client.face import Who
from workbench.serve.client.json_values import read_array, read_json, write_json
from workbench.serve.client.oip_tensors import read_outputs, write_head
from workbench.serve.client.signatures import Signatures, named
from workbench.serve.signature import Tensor


def test_bytes_are_base64() -> None:
    text = write_json({"inputs": np.array([[b"\xff\x00"], [b""]], dtype=object)})
    assert json.loads(text) == {"inputs": [[{"b64": "/wA="}], [{"b64": ""}]]}
    back = read_array(read_json(text)["inputs"])
    assert (back.dtype, back.tolist()) == (object, [[b"\xff\x00"], [b""]])


def test_numbers_that_json_has_not() -> None:
    text = write_json({"inputs": {"x": np.float32([1, np.nan, np.inf])}})
    back = read_array(read_json(text)["inputs"]["x"])
    np.testing.assert_array_equal(back, np.float32([1, np.nan, np.inf]))


def test_lists_of_different_lengths_are_no_array() -> None:
    with pytest.raises(ValueError, match="inhomogeneous"):
        read_array([[1, 2], [3]])


@pytest.mark.parametrize("binary", [True, False])
def test_tensors_of_the_open_inference_protocol(binary: bool) -> None:  # noqa: FBT001
    feeds = {"x": np.float32([[1.5, 2]]), "n": np.int64([2**62]), "s": np.array([b"a", "ü".encode()], dtype=object)}
    head, parts = write_head(feeds, binary=binary)
    document = read_json(write_json(head))
    back = read_outputs(document["inputs"], b"".join(parts))
    assert {name: array.dtype for name, array in back.items()} == {"x": np.float32, "n": np.int64, "s": object}
    assert (back["x"].tolist(), back["n"].tolist()) == ([[1.5, 2]], [2**62])
    assert [one if binary else one.encode() for one in back["s"]] == [b"a", "ü".encode()]


def test_a_signature_is_asked_for_once_until_it_is_forgotten() -> None:
    asked = []

    def read(who: Who, seconds: float) -> tuple[Tensor, ...]:
        asked.append((who, seconds))
        return (Tensor("x", "float32", (-1,)),)

    known, newest = Signatures(read), Who()
    for _ in range(3):
        known.inputs(newest, 5.0)
    known.inputs(Who(version=2), 5.0)
    known.forget(newest)
    known.inputs(newest, 4.0)
    assert asked == [(newest, 5.0), (Who(version=2), 5.0), (newest, 4.0)]


def test_types_become_the_model_s_where_nothing_is_lost_but_digits() -> None:
    tensors = (Tensor("x", "float32", (-1,)), Tensor("n", "int32", (-1,)))
    feeds = named({"x": np.array([1, 2]), "n": np.array([0.5]), "other": np.array([1.0])}, tensors)
    assert {name: array.dtype.name for name, array in feeds.items()} == {
        "x": "float32", "n": "float64", "other": "float64"
    }  # fmt: skip
