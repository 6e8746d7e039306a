"""Health, metadata and URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import workbench
from workbench.serve.control import NoControl
from workbench.serve.limits import Limits
from workbench.serve.oip.app import oip_app
from workbench.serve.oip.handler import Handler

if TYPE_CHECKING:
    from tests.serve.oip.conftest import Asked  # type: ignore[import-not-found]


def test_server(ask: Asked) -> None:
    assert ask("GET", "/v2") == (
        200,
        {
            "name": "lastmile-workbench",
            "version": workbench.__version__,
            "extensions": ["binary_tensor_data", "model_repository"],
        },
    )


def test_a_server_whose_models_never_change_offers_no_repository(ask: Asked) -> None:
    ask.app = oip_app(Handler(ask.inference, NoControl(ask.inference.models), Limits()), Limits())
    assert ask("GET", "/v2")[1]["extensions"] == ["binary_tensor_data"]
    assert ask("POST", "/v2/repository/models/double/load")[0] == 501
    assert ask("POST", "/v2/repository/index", {"ready": True})[1][0]["state"] == "READY"


def test_health(ask: Asked) -> None:
    assert ask("GET", "/v2/health/live") == (200, {"live": True})
    assert ask("GET", "/v2/health/ready") == (200, {"ready": True})
    ask("POST", "/v2/repository/models/pair/unload")
    assert ask("GET", "/v2/health/live") == (200, {"live": True})
    assert ask("GET", "/v2/health/ready") == (503, {"ready": False})


def test_model_metadata(ask: Asked) -> None:
    status, document = ask("GET", "/v2/models/double")
    assert status == 200
    assert document.pop("platform") is not None
    assert document == {
        "name": "double",
        "versions": ["3", "7"],
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}],
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 2]}],
    }
    assert ask("GET", "/v2/models/double/versions/3")[1]["versions"] == ["3"]
    assert [one["datatype"] for one in ask("GET", "/v2/models/pair")[1]["inputs"]] == ["FP32", "INT64"]
    assert ask("GET", "/v2/models/text")[1]["inputs"] == [{"name": "s", "datatype": "BYTES", "shape": [-1]}]
    assert ask("GET", "/v2/models/number")[1]["inputs"][0]["shape"] == []


@pytest.mark.parametrize("path", ["/v2/models/none", "/v2/models/double/versions/99", "/v2/models/double/versions/9"])
@pytest.mark.parametrize("what", ["", "/infer"])
def test_unknown(ask: Asked, path: str, what: str) -> None:
    status, document = ask("POST" if what else "GET", path + what)
    assert status == 404
    assert document["error"].startswith("Request for unknown model: ")


def test_ready(ask: Asked) -> None:
    assert ask("GET", "/v2/models/double/ready") == (200, {"name": "double", "ready": True})
    assert ask("GET", "/v2/models/double/versions/3/ready")[0] == 200
    assert ask("GET", "/v2/models/double/versions/9/ready") == (503, {"name": "double", "ready": False})
    assert ask("GET", "/v2/models/double/versions/99/ready")[0] == 404
    assert ask("GET", "/v2/models/none/ready")[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/v2", "GET"),
        ("POST", "/v2/health/live", "GET"),
        ("GET", "/v2/models/double/infer", "POST"),
        ("DELETE", "/v2/models/double/infer", "POST"),
        ("POST", "/v2/models/double", "GET"),
        ("GET", "/v2/repository/index", "POST"),
        ("GET", "/v2/repository/models/double/load", "POST"),
    ],
)
def test_wrong_method(ask: Asked, method: str, path: str, allowed: str) -> None:
    response = ask.send(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, allowed)
    assert response.json() == {"error": "Method Not Allowed"}


@pytest.mark.parametrize(
    "path",
    [
        "/v2/",
        "/v2/nothing",
        "/V2/models/double",
        "/v2/models/double/",
        "/v2/models/double/versions/x",
        "/v2/models//infer",
    ],
)
def test_no_such_url(ask: Asked, path: str) -> None:
    assert ask("GET", path) == (404, {"error": "Not Found"})


def test_a_name_is_percent_decoded_and_a_query_ignored(ask: Asked) -> None:
    assert ask("GET", "/v2/models/dou%62le?x=1")[1]["name"] == "double"
    assert ask("GET", "/v2/models/..%2f..%2fetc")[0] == 404


def test_counts(ask: Asked) -> None:
    ask.infer("double", {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]})
    ask.infer("double", {"inputs": []})
    ask.infer("none", {})
    stats = ask.inference.counters.stats("double", "7")
    assert (stats.requests, stats.errors) == (2, 1)


def test_repository(ask: Asked) -> None:
    index = ask("POST", "/v2/repository/index")[1]
    assert [row for row in index if row["name"] == "double"] == [
        {"name": "double", "version": "3", "state": "READY"},
        {"name": "double", "version": "7", "state": "READY"},
        {
            "name": "double",
            "version": "9",
            "state": "UNAVAILABLE",
            "reason": "model double version 9 cannot be run; the server's log says why.",
        },
    ]
    assert {row["state"] for row in ask("POST", "/v2/repository/index", {"ready": True})[1]} == {"READY"}
    assert ask("POST", "/v2/repository/models/pair/unload") == (200, None)
    status, document = ask("GET", "/v2/models/pair")
    assert (status, document["error"]) == (404, "Request for unknown model: 'pair' has no available versions")
    assert ask("POST", "/v2/repository/models/pair/load", {"parameters": {}}) == (200, None)
    assert ask("GET", "/v2/models/pair/ready")[0] == 200
    assert ask("POST", "/v2/repository/models/none/load")[0] == 404
    assert ask("POST", "/v2/repository/models/pair/load", b"{")[0] == 400
    assert ask("POST", "/v2/repository/index", {"ready": 5})[0] == 400
