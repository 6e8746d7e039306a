"""The original and ours are asked the same; where they differ it is on purpose, and in the conformance table."""

from __future__ import annotations

import gzip
import http.client
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.serve.oip.original import original
from tests.serve.oip.running import running

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

F12 = np.array([1, 2], np.float32).tobytes()
INFER = "/v2/models/{}/infer"


def x(shape: Any = (1, 2), datatype: str = "FP32", data: Any = (1, 2), name: str = "x", **more: Any) -> dict[str, Any]:
    found = {"name": name, "shape": list(shape), "datatype": datatype}
    return {**found, "data": list(data), **more} if data is not None else {**found, **more}


def ask(where: str, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any, bytes]:
    connection = http.client.HTTPConnection(where, timeout=30)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        whole = response.read()
        at = int(response.headers.get("inference-header-content-length", len(whole)))
        return response.status, json.loads(whole[:at]) if at else None, whole[at:]
    finally:
        connection.close()


def infer(model: str, *inputs: dict[str, Any], **more: Any) -> tuple[str, str, bytes]:
    return "POST", INFER.format(model), json.dumps({"inputs": inputs, **more}).encode()


def binary(model: str, *inputs: dict[str, Any], data: bytes, **more: Any) -> tuple[Any, ...]:
    head = json.dumps({"inputs": inputs, **more}).encode()
    return "POST", INFER.format(model), head + data, {"Inference_Header_Content_Length": str(len(head))}


SIZE = {"parameters": {"binary_data_size": 8}}
A, B = x([1], data=[1], name="a"), x([1, 2], "INT64", [2, 3], "b")

SAME: list[tuple[Any, ...]] = [
    ("GET", "/v2/models/double"),
    ("GET", "/v2/models/double/versions/3"),
    ("GET", "/v2/models/pair"),
    ("GET", "/v2/models/text"),
    ("GET", "/v2/models/FP16"),
    ("GET", "/v2/models/none"),
    ("GET", "/v2/models/double/versions/99"),
    ("GET", "/v2/nothing"),
    ("POST", "/v2/models/double"),
    ("GET", INFER.format("double")),
    infer("double", x()),
    infer("double", x(), id="q1"),
    infer("double", x([2, 2], data=[1, 2, 3, 4])),
    infer("double", x([0, 2], data=[])),
    infer("double", x(data=[[1], [2]])),
    infer("double", x(), parameters={"a": 1}, foo=1),
    infer("none", x()),
    infer("double", x(name="z")),
    infer("double", x(), outputs=[{"name": "q"}]),
    infer("pair", B, A),
    infer("pair", A, B, outputs=[{"name": "b"}]),
    infer("text", x([2], "BYTES", ["a", "é"], "s")),
    infer("BOOL", x([2], "BOOL", [True, False])),
    infer("UINT8", x([2], "UINT8", [0, 255])),
    infer("FP64", x([2], "FP64", [0.1, 1e300])),
    infer("FP16", x([1], "FP16", [1])),
    binary("double", x(data=None, **SIZE), data=F12),
    binary("double", x(data=None, **SIZE), data=F12, parameters={"binary_data_output": True}),
    binary("double", x(data=None, **SIZE), data=F12, outputs=[{"name": "y", "parameters": {"binary_data": True}}]),
    binary("pair", x([2], data=None, name="a", **SIZE), x([2, 2], "INT64", [1, 2, 3, 4], "b"), data=F12),
    binary("double", x(data=None, **SIZE), data=F12 + F12),
    ("POST", INFER.format("double"), F12, {"Inference_Header_Content_Length": "0"}),
    ("POST", INFER.format("double"), gzip.compress(infer("double", x())[2]), {"Content_Encoding": "gzip"}),
]
# what, the original's status, ours
OTHER: list[tuple[tuple[Any, ...], int, int]] = [
    (infer("double", x(data=[1])), 500, 400),
    (infer("double", x(data=["a", "b"])), 500, 400),
    (infer("double", x([-1, 2])), 500, 400),
    (infer("UINT8", x([1], "UINT8", [300])), 200, 400),
    (infer("double", x(), id=7), 500, 400),
    (("POST", INFER.format("double"), b"{"), 500, 400),
    (("POST", INFER.format("double"), b""), 200, 400),
    (("POST", INFER.format("double"), infer("double", x())[2], {"Content_Encoding": "gzip"}), 200, 400),
]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    with original(tmp_path_factory.mktemp("original")) as theirs, running() as ours:
        yield theirs, ours.http


def asked(where: str, request: tuple[Any, ...]) -> tuple[int, Any, bytes]:
    method, path, body, headers = (*request, b"", {})[:4] if len(request) < 4 else request
    status, document, data = ask(where, method, path, body or b"", **(headers or {}))
    if isinstance(document, dict):
        document.pop("platform", None)
    return status, document, data


@pytest.mark.parametrize("request_", SAME)
def test_the_same(both: tuple[str, str], request_: tuple[Any, ...]) -> None:
    theirs, ours = (asked(where, request_) for where in both)
    assert theirs == ours


@pytest.mark.parametrize(("request_", "theirs", "ours"), OTHER)
def test_other_on_purpose(both: tuple[str, str], request_: tuple[Any, ...], theirs: int, ours: int) -> None:
    assert [asked(where, request_)[0] for where in both] == [theirs, ours]


def test_the_original_dies_of_a_deep_body_and_ours_does_not(both: tuple[str, str]) -> None:
    body = b'{"inputs":' + b"[" * 1_000_000
    assert asked(both[1], ("POST", INFER.format("double"), body))[0] == 400
    with pytest.raises((http.client.HTTPException, OSError)):
        asked(both[0], ("POST", INFER.format("double"), body))
    assert asked(both[1], ("GET", "/v2/health/live"))[0] == 200
