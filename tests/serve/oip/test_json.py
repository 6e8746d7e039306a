"""Inference in JSON: what is answered and what is refused, both as Triton does where it does well."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from tests.serve.oip.models import NUMBERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.serve.oip.conftest import Asked  # type: ignore[import-not-found]


def tensor(name: str, datatype: str, shape: list[Any], data: Any) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


def x(data: Any, shape: Any = (1, 2), datatype: Any = "FP32") -> dict[str, Any]:
    return tensor("x", datatype, list(shape), data)


A, B = tensor("a", "FP32", [1], [1]), tensor("b", "INT64", [1, 2], [2, 3])


@pytest.mark.parametrize("data", [[1, 2], [[1, 2]], [[1], [2]], [1.0, 2.0]])
def test_flat_and_nested(ask: Asked, data: Any) -> None:
    assert ask.infer("double", {"id": "q1", "inputs": [x(data)]}) == (
        200,
        {
            "model_name": "double",
            "model_version": "7",
            "id": "q1",
            "outputs": [{"name": "y", "datatype": "FP32", "shape": [1, 2], "data": [2.0, 4.0]}],
        },
    )


def answer(ask: Asked, model: str, *inputs: dict[str, Any], **more: Any) -> Any:
    status, document = ask.infer(model, {"inputs": list(inputs), **more})
    assert status == 200, document
    return {one["name"]: one["data"] for one in document["outputs"]}


def test_versions(ask: Asked) -> None:
    status, document = ask("POST", "/v2/models/double/versions/3/infer", {"inputs": [x([1, 2])]})
    assert (status, document["model_version"], document["outputs"][0]["data"]) == (200, "3", [30, 60])


def test_several_tensors_and_a_choice_of_outputs(ask: Asked) -> None:
    assert answer(ask, "pair", B, A) == {"sum": [6.0], "b": [2, 3]}
    assert answer(ask, "pair", A, B, outputs=[{"name": "b"}]) == {"b": [2, 3]}
    assert answer(ask, "pair", A, B, outputs=[{"name": "b"}, {"name": "b"}]) == {"b": [2, 3]}
    assert list(answer(ask, "pair", A, B, outputs=[])) == ["sum", "b"]


@pytest.mark.parametrize("datatype", sorted(NUMBERS.keys() - {"FP16"}))
def test_every_datatype_comes_back_as_it_went(ask: Asked, datatype: str) -> None:
    bits = int(datatype.lstrip("UINTFPBOL") or 1)
    extremes = {
        "B": [True, False],
        "I": [-(1 << bits - 1), (1 << bits - 1) - 1],
        "U": [0, (1 << bits) - 1],
        "F": [0.1, -3e38],
    }[datatype[0]]
    assert answer(ask, datatype, x(extremes, [2], datatype)) == {"x": extremes}


def test_texts(ask: Asked) -> None:
    texts = ["a", "é", "", "a\0b", '"']
    assert answer(ask, "text", tensor("s", "BYTES", [5], texts)) == {"s": texts}


def test_empty_batch_and_scalar(ask: Asked) -> None:
    assert answer(ask, "double", x([], (0, 2))) == {"y": []}
    assert answer(ask, "number", tensor("v", "FP32", [], [4])) == {"v": [5.0]}


@pytest.mark.parametrize(("sent", "got"), [("NaN", math.nan), ("-Infinity", -math.inf), ("1e39", math.inf)])
def test_what_json_has_no_number_for(ask: Asked, sent: str, got: float) -> None:
    body = f'{{"inputs": [{{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [{sent}, 1]}}]}}'
    status, document = ask.infer("double", body.encode())
    assert status == 200
    assert document["outputs"][0]["data"] == pytest.approx([got, 2.0], nan_ok=True)


def test_large_request_is_read_and_written_beside_the_loop(ask: Asked) -> None:
    values = list(range(40_000))
    document = answer(ask, "double", x(values, (20_000, 2)))
    assert document["y"] == [2.0 * value for value in values]


@pytest.mark.parametrize("value", [-129, 128, 1 << 63, 1.5, True])
@pytest.mark.parametrize("count", [1, 1000])  # a short body is read in another way than a long one
def test_a_number_that_the_type_cannot_hold(ask: Asked, value: Any, count: int) -> None:
    status, document = ask.infer("INT8", {"inputs": [x([value] * count, [count], "INT8")]})
    assert (status, document["error"].startswith("input 'x'")) == (400, True)


def test_a_member_that_nobody_knows(ask: Asked) -> None:
    assert answer(ask, "double", x([1, 2]), foo={"a": [1]}, parameters={"a": 1, "b": "c", "d": True}) == {"y": [2, 4]}


BAD: list[tuple[str, Any, str]] = [
    ("double", b"", "the request has no body"),
    ("double", b" ", "failed to parse the request JSON buffer"),
    ("double", b'{"inputs": [}', "failed to parse the request JSON buffer: Expecting value at 12"),
    ("double", b'{"inputs": []} x', "failed to parse the request JSON buffer: Extra data"),
    ("double", b'{"id": "\xff"}', "no UTF-8"),
    ("double", b'{"a": ' + b"[" * 100_000, "nested too deeply"),
    (
        "double",
        b'{"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1e400, 1]}]}',
        "Number too big",
    ),
    ("double", [1], "must be a JSON object"),
    ("double", {}, "Unable to parse 'inputs'"),
    ("double", {"inputs": 5}, "Unable to parse 'inputs'"),
    ("double", {"inputs": [5]}, "Unable to parse 'inputs'"),
    ("double", {"inputs": []}, "expected 1 inputs but got 0 inputs for model 'double'"),
    ("double", {"inputs": [{"name": "x"}]}, "Unable to parse 'inputs'"),
    ("double", {"inputs": [tensor("z", "FP32", [1, 2], [1, 2])]}, "unexpected inference input 'z' for model 'double'"),
    ("double", {"inputs": [x([1, 2])] * 2}, "input 'x' already exists in request"),
    ("double", {"inputs": [x([1, 2], datatype="INT32")]}, "data-type is 'INT32', but model 'double' expects 'FP32'"),
    ("double", {"inputs": [x([1, 2], datatype="FOO")]}, "invalid datatype for input x: FOO"),
    ("double", {"inputs": [x([1, 2], datatype=5)]}, "invalid datatype for input x: 5"),
    ("double", {"inputs": [x([1, 2], datatype=[])]}, "invalid datatype for input x"),
    ("double", {"inputs": [{**x([1, 2]), "shape": 2}]}, "Unable to parse 'shape'"),
    ("double", {"inputs": [x([1, 2], (-1, 2))]}, "whole numbers"),
    ("double", {"inputs": [x([1, 2], (1.0, 2))]}, "whole numbers"),
    ("double", {"inputs": [x([1, 2], ("1", 2))]}, "whole numbers"),
    ("double", {"inputs": [x([1, 2], (True, 2))]}, "whole numbers"),
    ("double", {"inputs": [x([1, 2], (1 << 70, 2))]}, "whole numbers"),
    ("double", {"inputs": [x([1, 2, 3], (1, 3))]}, "Expected [-1,2], got [1,3]"),
    ("double", {"inputs": [x([1, 2], (2,))]}, "Expected [-1,2], got [2]"),
    ("double", {"inputs": [x([1, 2], (1 << 62, 2))]}, "must have 9223372036854775808 elements, got 2"),
    ("free", {"inputs": [tensor("f", "FP32", [0, 1 << 62], [])]}, "an impossible shape"),
    ("double", {"inputs": [x([1])]}, "must have 2 elements, got 1"),
    ("double", {"inputs": [x([1, 2, 3])]}, "must have 2 elements, got 3"),
    ("double", {"inputs": [x(["1", 2])]}, "is not of expected type: float"),
    ("double", {"inputs": [x([True, 2])]}, "is not of expected type: float"),
    ("double", {"inputs": [x([None, 2])]}, "is not of expected type: float"),
    ("double", {"inputs": [x([1, [2, "a"]])]}, "side by side"),
    ("double", {"inputs": [x(5)]}, "must have its data in a list"),
    ("double", {"inputs": [x({"a": 1})]}, "must have its data in a list"),
    ("double", {"inputs": [x(None)]}, "must set either 'data' or 'binary_data_size'"),
    ("double", {"inputs": [x([1, 2])], "id": 5}, "Unable to parse 'id'"),
    ("double", {"inputs": [x([1, 2])], "parameters": 5}, "Unable to parse 'parameters'"),
    ("double", {"inputs": [x([1, 2])], "parameters": {"a": []}}, "parameter 'a'"),
    ("double", {"inputs": [x([1, 2])], "outputs": 5}, "Unable to parse 'outputs'"),
    ("double", {"inputs": [x([1, 2])], "outputs": [{}]}, "Unable to parse 'outputs'"),
    ("double", {"inputs": [x([1, 2])], "outputs": [{"name": "q"}]}, "unexpected inference output 'q'"),
    (
        "double",
        {"inputs": [x([1, 2])], "parameters": {"binary_data_output": 1}},
        "Unable to parse 'binary_data_output'",
    ),
    ("pair", {"inputs": [A]}, "missing required input(s) ['b']"),
    ("INT32", {"inputs": [x([1.5], [1], "INT32")]}, "is not of expected type: int32"),
    ("INT32", {"inputs": [x([1 << 31], [1], "INT32")]}, "is not of expected type: int32"),
    ("UINT8", {"inputs": [x([-1], [1], "UINT8")]}, "is not of expected type: uint8"),
    ("UINT8", {"inputs": [x([256], [1], "UINT8")]}, "is not of expected type: uint8"),
    ("UINT64", {"inputs": [x([1 << 64], [1], "UINT64")]}, "is not of expected type: uint64"),
    ("BOOL", {"inputs": [x([1], [1], "BOOL")]}, "is not of expected type: bool"),
    ("FP16", {"inputs": [x([1], [1], "FP16")]}, "receiving FP16 data via JSON is not supported"),
    ("text", {"inputs": [tensor("s", "BYTES", [1], [5])]}, "is not of expected type: string"),
    ("text", {"inputs": [tensor("s", "BYTES", [1], ["\ud800"])]}, "surrogate"),
]


@pytest.mark.parametrize(("model", "body", "part"), BAD)
def test_refused_in_one_sentence(ask: Asked, model: str, body: Any, part: str) -> None:
    status, document = ask.infer(model, body)
    assert status == 400
    assert list(document) == ["error"]
    assert part in document["error"]
    assert document["error"].lower().count("input '") <= 1
    assert "\n" not in document["error"]
    assert len(document["error"]) < 500


@pytest.mark.parametrize(
    "more",
    [
        {"outputs": [{"name": "y", "parameters": {"classification": 1}}]},
        {"outputs": [{"name": "y", "parameters": {"shared_memory_region": "r"}}]},
        {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "parameters": {"shared_memory_region": "r"}}]},
    ],
)
def test_extensions_that_are_not_there(ask: Asked, more: dict[str, Any]) -> None:
    assert ask.infer("double", {"inputs": [x([1, 2])], **more})[0] == 501


def test_a_model_that_fails(ask: Asked) -> None:
    status, document = ask.infer("crash", {"inputs": [tensor("f", "FP32", [1, 1], [1])]})
    assert (status, "secret" in document["error"]) == (500, False)


def test_too_many_values(open_door: Callable[..., Asked]) -> None:
    ask = open_door(values=16)
    assert ask.infer("free", {"inputs": [tensor("f", "FP32", [1, 400], [1] * 400)]})[0] == 413
    assert ask.infer("free", {"inputs": [tensor("f", "FP32", [1, 4], [1] * 4)]})[0] == 200


def test_too_large(open_door: Callable[..., Asked]) -> None:
    ask = open_door(body_bytes=1024)
    response = ask.send("POST", "/v2/models/double/infer", json.dumps({"inputs": [x([1] * 2000)]}).encode())
    assert (response.status_code, response.headers["connection"]) == (413, "close")
    assert "1024" in response.json()["error"]
