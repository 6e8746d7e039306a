"""The binary tensor extension, both ways, and compressed bodies."""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.serve.oip.models import NUMBERS

if TYPE_CHECKING:
    import httpx

    from tests.serve.oip.conftest import Asked  # type: ignore[import-not-found]

F12 = np.array([1, 2], np.float32).tobytes()
JSON_REQUEST = json.dumps({"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]}).encode()
HEADER = "inference-header-content-length"


def x(size: Any, shape: Any = (1, 2), datatype: str = "FP32", name: str = "x", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "shape": list(shape),
        "datatype": datatype,
        "parameters": {"binary_data_size": size},
        **more,
    }


def texts(*found: bytes) -> bytes:
    return b"".join(struct.pack("<I", len(one)) + one for one in found)


def split(response: httpx.Response) -> tuple[dict[str, Any], bytes]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/octet-stream"
    at = int(response.headers[HEADER])
    return json.loads(response.content[:at]), response.content[at:]


def test_bytes_in_and_json_out(ask: Asked) -> None:
    response = ask.binary("double", {"inputs": [x(8)]}, F12)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert HEADER not in response.headers
    assert response.json()["outputs"][0]["data"] == [2.0, 4.0]


@pytest.mark.parametrize(
    "asked",
    [
        {"parameters": {"binary_data_output": True}},
        {"parameters": {"binary_data_output": True}, "outputs": [{"name": "y"}]},
        {"outputs": [{"name": "y", "parameters": {"binary_data": True}}]},
    ],
)
def test_bytes_out(ask: Asked, asked: dict[str, Any]) -> None:
    document, data = split(ask.binary("double", {"inputs": [x(8)], **asked}, F12))
    assert document["outputs"] == [
        {"name": "y", "datatype": "FP32", "shape": [1, 2], "parameters": {"binary_data_size": 8}}
    ]
    assert np.frombuffer(data, np.float32).tolist() == [2, 4]


def test_one_output_in_bytes_and_another_in_json(ask: Asked) -> None:
    asked = {
        "inputs": [x(4, (1,), name="a"), {"name": "b", "shape": [1, 2], "datatype": "INT64", "data": [2, 3]}],
        "parameters": {"binary_data_output": True},
        "outputs": [{"name": "sum", "parameters": {"binary_data": False}}, {"name": "b"}],
    }
    document, data = split(ask.binary("pair", asked, F12[:4]))
    assert document["outputs"][0]["data"] == [6.0]
    assert np.frombuffer(data, np.int64).tolist() == [2, 3]


@pytest.mark.parametrize("datatype", sorted(NUMBERS))
@pytest.mark.parametrize("pad", ["", "1", "12"])  # where the bytes begin in the body, even or odd
def test_every_datatype_comes_back_as_it_went(ask: Asked, datatype: str, pad: str) -> None:
    sent = np.array([0, 1, 0, 1, 1], NUMBERS[datatype]).tobytes()
    asked = {"id": f"i{pad}", "inputs": [x(len(sent), (5,), datatype)], "parameters": {"binary_data_output": True}}
    document, data = split(ask.binary(datatype, asked, sent))
    assert (document["id"], document["outputs"][0]["datatype"], data) == (f"i{pad}", datatype, sent)


def test_texts(ask: Asked) -> None:
    sent = texts(b"a", b"\xff\0", b"")
    asked = {"inputs": [x(len(sent), (3,), "BYTES", "s")]}
    document, data = split(ask.binary("text", {**asked, "parameters": {"binary_data_output": True}}, sent))
    assert (document["outputs"][0]["shape"], data) == ([3], sent)
    response = ask.binary("text", asked, sent)
    assert (response.status_code, "no UTF-8" in response.json()["error"]) == (400, True)


def test_many_texts_are_read_beside_the_loop(ask: Asked) -> None:
    sent = texts(*(b"%d" % number for number in range(20_000)))
    asked = {"inputs": [x(len(sent), (20_000,), "BYTES", "s")], "parameters": {"binary_data_output": True}}
    assert split(ask.binary("text", asked, sent))[1] == sent


def test_bool_bytes_other_than_one_are_true(ask: Asked) -> None:
    response = ask.binary("BOOL", {"inputs": [x(3, (3,), "BOOL")]}, b"\2\0\xff")
    assert response.json()["outputs"][0]["data"] == [True, False, True]


def test_half_floats_have_no_json(ask: Asked) -> None:
    response = ask.binary("FP16", {"inputs": [x(2, (1,), "FP16")]}, b"\0<")
    assert response.status_code == 400
    assert "sending FP16 data via JSON is not supported" in response.json()["error"]


@pytest.mark.parametrize(
    ("model", "body", "shape"), [("double", F12 + F12, [2, 2]), ("UINT8", b"\1\2\3", [3]), ("text", b"whole", [1])]
)
def test_raw_body(ask: Asked, model: str, body: bytes, shape: list[int]) -> None:
    response = ask.send("POST", f"/v2/models/{model}/infer", body, Inference_Header_Content_Length="0")
    assert split(response)[0]["outputs"][0]["shape"] == shape


@pytest.mark.parametrize(
    ("model", "body"),
    [("double", b""), ("double", F12 + b"1"), ("pair", F12), ("free", F12), ("number", F12), ("double", b"1")],
)
def test_raw_body_that_cannot_be(ask: Asked, model: str, body: bytes) -> None:
    response = ask.send("POST", f"/v2/models/{model}/infer", body, Inference_Header_Content_Length="0")
    assert (response.status_code, list(response.json())) == (400, ["error"])


BAD: list[tuple[str, dict[str, Any], bytes, str]] = [
    ("double", x(4), F12[:4], "Expected 8, got 4"),
    ("double", x(8), F12[:4], "expecting 4 additional bytes"),
    ("double", x(8), F12 + b"more", "unexpected additional input data"),
    ("double", x(1 << 62), F12, "additional bytes"),
    ("double", x(-8), F12, "Unable to parse 'binary_data_size'"),
    ("double", x("8"), F12, "Unable to parse 'binary_data_size'"),
    ("double", x(8.0), F12, "Unable to parse 'binary_data_size'"),
    ("double", x(8, (-1, 2)), F12, "whole numbers"),
    ("double", x(8, (-1, -2)), F12, "whole numbers"),
    ("double", x(8, (1 << 62, 2)), F12, "Expected 36893488147419103232, got 8"),
    ("double", x(8, data=[1, 2]), F12, "must set either"),
    ("text", x(5, (2,), "BYTES", "s"), texts(b"a"), "expected 2 string elements"),
    ("text", x(10, (1,), "BYTES", "s"), texts(b"a", b"b"), "expected 1 string elements"),
    ("text", x(5, (1,), "BYTES", "s"), b"\xff\xff\xff\xffa", "expecting string of length 4294967295"),
    ("text", x(7, (1,), "BYTES", "s"), texts(b"") + b"\1\0\0", "incomplete string length indicator"),
    ("text", x(4, (1 << 60,), "BYTES", "s"), texts(b""), "string elements"),
]


@pytest.mark.parametrize(("model", "one", "data", "part"), BAD)
def test_sizes_that_lie(ask: Asked, model: str, one: dict[str, Any], data: bytes, part: str) -> None:
    response = ask.binary(model, {"inputs": [one]}, data)
    assert response.status_code == 400
    assert part in response.json()["error"]


@pytest.mark.parametrize("length", ["-1", "abc", "100000", "1" * 60, "", "10"])
def test_header_that_lies(ask: Asked, length: str) -> None:
    head = json.dumps({"inputs": [x(8)]}).encode()
    response = ask.send("POST", "/v2/models/double/infer", head + F12, Inference_Header_Content_Length=length)
    assert (response.status_code, list(response.json())) == (400, ["error"])


@pytest.mark.parametrize(("name", "squeeze"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_compressed_request(ask: Asked, name: str, squeeze: Any) -> None:
    response = ask.send("POST", "/v2/models/double/infer", squeeze(JSON_REQUEST), Content_Encoding=name)
    assert response.json()["outputs"][0]["data"] == [2.0, 4.0]
    head = json.dumps({"inputs": [x(8)]}).encode()
    response = ask.send(
        *("POST", "/v2/models/double/infer", squeeze(head + F12)),
        Content_Encoding=name,
        Inference_Header_Content_Length=str(len(head)),
    )
    assert response.json()["outputs"][0]["data"] == [2.0, 4.0]
    response = ask.send("POST", "/v2/models/double/infer", squeeze(JSON_REQUEST)[:-9], Content_Encoding=name)
    assert response.status_code == 400


def test_encoding_that_nobody_knows(ask: Asked) -> None:
    response = ask.send("POST", "/v2/models/double/infer", JSON_REQUEST, Content_Encoding="br")
    assert (response.status_code, list(response.json())) == (400, ["error"])


@pytest.mark.parametrize(
    ("accept", "encoding"),
    [
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("br, gzip;q=0.5, deflate", "gzip"),
        ("gzip;q=0, deflate", "deflate"),
        ("gzip; q=0.0", None),
        ("br", None),
    ],
)
def test_compressed_reply(ask: Asked, accept: str, encoding: str | None) -> None:
    data = np.zeros((400, 2), np.float32).tobytes()
    asked = {"inputs": [x(len(data), (400, 2))], "parameters": {"binary_data_output": True}}
    head = json.dumps(asked).encode()
    response = ask.send(
        *("POST", "/v2/models/double/infer", head + data),
        Inference_Header_Content_Length=str(len(head)),
        Accept_Encoding=accept,
    )
    assert response.headers.get("content-encoding") == encoding
    assert split(response)[1] == data  # the client has inflated it


def test_a_short_reply_is_not_worth_it(ask: Asked) -> None:
    response = ask.send("POST", "/v2/models/double/infer", JSON_REQUEST, Accept_Encoding="gzip")
    assert "content-encoding" not in response.headers
