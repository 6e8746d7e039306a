"""Predict as TensorFlow Serving does it: status codes, wording, forms and types."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.serve.conftest import Asked  # type: ignore[import-not-found]

GOOD: list[tuple[str, str, str, Any]] = [
    # what, model, body, reply
    ("rows", "double", '{"instances": [[1, 2], [3, 4.5]]}', {"predictions": [[2, 4], [6, 9]]}),
    ("rows of objects, one input", "double", '{"instances": [{"x": [1, 2]}]}', {"predictions": [[2, 4]]}),
    ("columns", "double", '{"inputs": [[1, 2]]}', {"outputs": [[2, 4]]}),
    ("columns by name", "double", '{"inputs": {"x": [[1, 2]]}}', {"outputs": [[2, 4]]}),
    ("extra names in columns", "double", '{"inputs": {"x": [[1, 2]], "z": 1}}', {"outputs": [[2, 4]]}),
    ("unknown keys", "double", '{"id": 1, "instances": [[1, 2]]}', {"predictions": [[2, 4]]}),
    ("bytes after the brace", "double", '{"instances": [[1, 2]]} and more', {"predictions": [[2, 4]]}),
    ("byte order mark", "double", '\ufeff{"instances": [[1, 2]]}', {"predictions": [[2, 4]]}),
    (
        "signature",
        "double",
        '{"signature_name": "serving_default", "instances": [[1, 2]]}',
        {"predictions": [[2, 4]]},
    ),
    ("empty signature", "double", '{"signature_name": "", "instances": [[1, 2]]}', {"predictions": [[2, 4]]}),
    ("scalar rows", "same", '{"instances": [1, 2.5]}', {"predictions": [1.0, 2.5]}),
    ("scalar column", "number", '{"inputs": 4}', {"outputs": 5.0}),
    (
        "two outputs in rows",
        "pair",
        '{"instances": [{"a": 1, "b": [2, 3]}, {"b": [0, 0], "a": 0.5}]}',
        {"predictions": [{"sum": 6.0, "b": [2, 3]}, {"sum": 0.5, "b": [0, 0]}]},
    ),
    (
        "two outputs in columns",
        "pair",
        '{"inputs": {"a": [1], "b": [[2, 3]]}}',
        {"outputs": {"sum": [6.0], "b": [[2, 3]]}},
    ),
    ("strings", "echo", '{"instances": ["a", "\\u00e9"]}', {"predictions": ["a", "é"]}),
    ("base64 rows", "echo", '{"instances": [{"b64": "YWI="}, "c"]}', {"predictions": ["ab", "c"]}),
    ("base64 column", "echo", '{"inputs": [{"b64": "YWI="}]}', {"outputs": ["ab"]}),
    ("_bytes out", "bytes", '{"instances": ["ab"]}', {"predictions": [{"b64": "YWI="}]}),
    ("booleans", "not", '{"instances": [true, false]}', {"predictions": [False, True]}),
    ("small integers", "small", '{"instances": [0, 255]}', {"predictions": [0, 255]}),
    ("beyond float32", "same", '{"instances": [1e39, -1e39]}', {"predictions": [math.inf, -math.inf]}),
    ("infinities", "same", '{"instances": [Infinity, -Infinity]}', {"predictions": [math.inf, -math.inf]}),
]

BAD: list[tuple[str, str, str, str]] = [
    # what, model, body, part of the message
    ("empty", "double", "", "JSON Parse error: The document is empty"),
    ("blank", "double", "  \n", "JSON Parse error: The document is empty"),
    ("syntax", "double", '{"instances": [[1, 2]', "JSON Parse error: "),
    ("offset", "double", '{"instances": x}', "JSON Parse error: Invalid value. at offset: 14"),
    ("no object", "double", "[1, 2]", "JSON Value: [1, 2] Is not object"),
    ("no key", "double", "{}", "Missing 'inputs' or 'instances' key"),
    ("both keys", "double", '{"instances": [[1, 2]], "inputs": [[1, 2]]}', "expecting only one of"),
    ("signature type", "double", '{"signature_name": 5}', "'signature_name' key must be a string value."),
    (
        "signature unknown",
        "double",
        '{"signature_name": "no", "instances": [[1, 2]]}',
        'Serving signature name: "no" not found in signature def',
    ),
    ("no rows", "double", '{"instances": []}', "No values in 'instances' array"),
    ("rows no list", "double", '{"instances": 5}', "Excepting 'instances' to be an list/array"),
    ("plain for two inputs", "pair", '{"instances": [1]}', "instances is a plain list, but expecting list of objects"),
    ("plain column for two", "pair", '{"inputs": [1]}', "inputs is a plain value/list, but expecting an object"),
    ("missing column", "pair", '{"inputs": {"a": [1]}}', "Missing named input: b in 'inputs' object."),
    ("missing row key", "pair", '{"instances": [{"a": 1}]}', "keys must be equal to: a,b"),
    ("unknown row key", "pair", '{"instances": [{"a": 1, "c": 1}]}', "does not have named input: c"),
    (
        "list after object",
        "double",
        '{"instances": [{"x": [1, 2]}, [1, 2]]}',
        "Expecting object but got list at item 1",
    ),
    (
        "object after list",
        "double",
        '{"instances": [[1, 2], {"x": [1, 2]}]}',
        "Expecting value/list but got object at item 1 of input list",
    ),
    ("sizes differ", "double", '{"instances": [[1, 2], [1]]}', "Expecting tensor size: 2 but got: 1"),
    ("shapes differ", "double", '{"instances": [[1, 2], [[1, 2]]]}', "Expecting shape [2] but got: [1,2]"),
    (
        "which element",
        "double",
        '{"instances": [[1, 2], [1, "a"]]}',
        "Failed to process element: 1 of 'instances' list.",
    ),
    ("string", "double", '{"instances": [["1", 2]]}', "Type: String is not of expected type: float"),
    ("boolean", "double", '{"instances": [[true, 2]]}', "Type: True is not of expected type: float"),
    ("null", "double", '{"instances": [[null, 2]]}', "Type: Null is not of expected type: float"),
    ("object", "double", '{"instances": [[{}, 2]]}', "Type: Object is not of expected type: float"),
    ("fraction for integer", "pair", '{"inputs": {"a": [1], "b": [[1.5, 1]]}}', "is not of expected type: int64"),
    ("integer too large", "small", '{"instances": [256]}', "is not of expected type: uint8"),
    ("integer for boolean", "not", '{"instances": [1]}', "is not of expected type: bool"),
    ("number for string", "echo", '{"instances": [1]}', "is not of expected type: string"),
    ("bad base64", "echo", '{"instances": [{"b64": "?"}]}', "Unable to base64 decode"),
    ("base64 with company", "echo", '{"inputs": [{"b64": "YQ==", "c": 1}]}', "not formatted correctly for base64 data"),
    ("ragged", "double", '{"inputs": [[1, 2], [3]]}', "Encountered list at unexpected size: 1 at level: 1"),
    ("deeper than the first", "double", '{"inputs": [[1, [2]]]}', "Encountered list at unexpected level: 2"),
    ("flatter than the first", "double", '{"inputs": [[1, 2], 3]}', "found at incorrect level: 2"),
    ("wrong inner size", "double", '{"instances": [[1, 2, 3]]}', "must be of shape [-1, 2] but got: [1, 3]"),
    ("wrong rank", "double", '{"instances": [1, 2]}', "must be of shape [-1, 2] but got: [2]"),
    ("half a surrogate pair", "echo", '{"instances": ["\\ud800"]}', "surrogate pair"),
    ("huge integer", "same", '{"instances": [1%s]}' % ("0" * 400), "Number too big"),
    ("thousands of digits", "same", '{"instances": [1%s]}' % ("0" * 5000), "Number too big"),
    ("too big a number", "same", '{"instances": [1e400]}', "Number too big"),
    ("rank", "same", f'{{"inputs": {"[" * 70}1{"]" * 70}}}', "nested too deeply"),
    ("output without batch", "number", '{"instances": [1]}', "must be of shape [] but got: [1]"),
    ("batches differ", "uneven", '{"instances": [1, 2]}', "has inconsistent batch size"),
]


@pytest.mark.parametrize(("model", "body", "reply"), [row[1:] for row in GOOD], ids=[row[0] for row in GOOD])
def test_answers(ask: Asked, model: str, body: str, reply: Any) -> None:
    assert ask.predict(model, body.encode()) == (200, reply)


@pytest.mark.parametrize(("model", "body", "message"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_refuses(ask: Asked, model: str, body: str, message: str) -> None:
    status, reply = ask.predict(model, body.encode())
    assert (status, list(reply)) == (400, ["error"])
    assert message in reply["error"]


def test_nan_goes_in_and_comes_out(ask: Asked) -> None:
    assert ask.text("POST", "/v1/models/same:predict", b'{"instances": [NaN, 1]}') == '{"predictions":[NaN,1.0]}'


@pytest.mark.parametrize("brackets", ["[", '{"a":'])
def test_a_million_levels_are_refused(ask: Asked, brackets: str) -> None:
    body = b'{"instances": ' + brackets.encode() * 1_000_000
    status, reply = ask.predict("double", body)
    assert (status, reply["error"]) == (400, "JSON Parse error: Arrays and objects are nested too deeply.")


@pytest.mark.parametrize("model", ["broken", "picky", "crash"])
def test_inputs_that_fit_and_a_model_that_fails_are_a_500_without_its_reasons(ask: Asked, model: str) -> None:
    status, reply = ask.predict(model, {"instances": [[1, 2]]})
    assert (status, reply["error"]) == (500, "The model failed to run; the server's log says why")


def test_a_shape_that_does_not_fit_is_a_400_though_the_model_would_fail_too(ask: Asked) -> None:
    status, reply = ask.predict("crash", {"instances": [1, 2]})
    assert (status, reply["error"]) == (400, "Input f must be of shape [-1, -1] but got: [2]")


@pytest.mark.parametrize(
    ("path", "status", "reply"),
    [
        ("/v1/models/double:predict", 200, {"predictions": [[2.0, 4.0]]}),
        ("/V1/Models/double/Versions/7:predict", 200, {"predictions": [[2.0, 4.0]]}),
        ("/v1/models/double:PREDICT", 400, {"error": "Malformed request: POST /v1/models/double:PREDICT"}),
        ("/v1/models/%64ouble:predict", 200, {"predictions": [[2.0, 4.0]]}),
        ("/v1/models/double/versions/3:predict", 200, {"predictions": [[30.0, 60.0]]}),
        ("/v1/models/double/versions/007:predict", 200, {"predictions": [[2.0, 4.0]]}),
        ("/v1/models/double/labels/stable:predict", 200, {"predictions": [[30.0, 60.0]]}),
        ("/v1/models/double/labels/no:predict", 400, {"error": "Unrecognized servable version label: no"}),
        (
            "/v1/models/double/versions/9:predict",
            404,
            {"error": "Servable not found for request: Specific(double, 9)"},
        ),
        ("/v1/models/none:predict", 404, {"error": "Servable not found for request: Latest(none)"}),
        (
            "/v1/models/none/versions/1:predict",
            404,
            {"error": "Servable not found for request: Specific(none, 1)"},
        ),
        ("/v1/models/%2e%2e:predict", 404, {"error": "Servable not found for request: Latest(..)"}),
    ],
)
def test_versions_labels_and_names(ask: Asked, path: str, status: int, reply: Any) -> None:
    assert ask("POST", path, {"instances": [[1, 2]]}) == (status, reply)


def test_a_malformed_body_is_said_before_an_unknown_model(ask: Asked) -> None:
    status, reply = ask.predict("none", b"{")
    assert (status, reply["error"].split(":")[0]) == (400, "JSON Parse error")


def test_requests_are_counted(ask: Asked) -> None:
    for body in ({"instances": [[1, 2], [3, 4]]}, {"instances": [[1, 2]]}, {"instances": "no"}):
        ask.predict("double", body)
    ask("GET", "/v1/models/double")
    ask.predict("from outside", {"instances": [1]})
    stats = ask.counters.stats("double", "7")
    assert (stats.requests, stats.errors) == (3, 1)
    assert stats.p50_ms is not None
    assert stats.p99_ms is not None
    assert 0 < stats.p50_ms <= stats.p99_ms
    assert ask.counters.totals()["double"]["examples"] == 3
    assert ask.counters.requests("double", "OK") == 3
    assert ask.counters.requests("double", "INVALID_ARGUMENT") == 1
    assert ask.counters.requests("", "NOT_FOUND") == 1


def test_replies_are_json_for_others_too(ask: Asked) -> None:
    assert json.loads(ask.text("POST", "/v1/models/echo:predict", b'{"instances": ["\\"\\n"]}')) == {
        "predictions": ['"\n']
    }
