"""Status and metadata, compared whole as TensorFlow Serving's own tests do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.serve.conftest import Asked  # type: ignore[import-not-found]

OK = {"error_code": "OK", "error_message": ""}
SEVEN = {"version": "7", "state": "AVAILABLE", "status": OK}
THREE = {"version": "3", "state": "AVAILABLE", "status": OK}
NINE = {
    "version": "9",
    "state": "END",
    "status": {
        "error_code": "UNKNOWN",
        "error_message": "model double version 9 cannot be run; the server's log says why.",
    },
}


@pytest.mark.parametrize(
    ("path", "status", "reply"),
    [
        ("/v1/models/pair", 200, {"model_version_status": [SEVEN]}),
        ("/v1/models/double", 200, {"model_version_status": [NINE, SEVEN, THREE]}),
        ("/V1/MODELS/pair/METADATA", 200, {"model_version_status": [SEVEN]}),
        ("/v1/models/double/versions/3", 200, {"model_version_status": [THREE]}),
        ("/v1/models/pair/labels/unheard_of", 200, {"model_version_status": [SEVEN]}),
        ("/v1/models/double/versions/4", 404, {"error": "Could not find version 4 of model double"}),
        ("/v1/models/none", 404, {"error": "Could not find any versions of model none"}),
        ("/v1/models", 400, {"error": "Missing model name in request."}),
        ("/v1/models/double/version/3", 400, {"error": "Malformed request: GET /v1/models/double/version/3"}),
        ("/v1/models/double/versions/X", 400, {"error": "Malformed request: GET /v1/models/double/versions/X"}),
        ("/v1/models/double:predict", 400, {"error": "Malformed request: GET /v1/models/double:predict"}),
        (
            "/v1/models/double/versions/9223372036854775808",
            400,
            {"error": "Failed to convert version: 9223372036854775808 to numeric."},
        ),
        (
            "/v1/models/double/versions/4/metadata",
            404,
            {"error": "Servable not found for request: Specific(double, 4)"},
        ),
        ("/v1/", 400, {"error": "Malformed request: GET /v1/"}),
    ],
)
def test_status(ask: Asked, path: str, status: int, reply: Any) -> None:
    assert ask("GET", path) == (status, reply)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "PATCH"])
def test_other_methods_are_malformed(ask: Asked, method: str) -> None:
    assert ask(method, "/v1/models/double") == (400, {"error": f"Malformed request: {method} /v1/models/double"})


def test_metadata(ask: Asked) -> None:
    def tensor(name: str, dtype: str, *sizes: str) -> dict[str, Any]:
        dims = [{"size": size, "name": ""} for size in sizes]
        return {"dtype": dtype, "tensor_shape": {"dim": dims, "unknown_rank": False}, "name": f"{name}:0"}

    signature = {
        "inputs": {"a": tensor("a", "DT_FLOAT", "-1"), "b": tensor("b", "DT_INT64", "-1", "2")},
        "outputs": {"sum": tensor("sum", "DT_FLOAT", "-1"), "b": tensor("b", "DT_INT64", "-1", "2")},
        "method_name": "tensorflow/serving/predict",
        "defaults": {},
    }
    assert ask("GET", "/v1/models/pair/metadata") == (
        200,
        {
            "model_spec": {"name": "pair", "signature_name": "", "version": "7"},
            "metadata": {"signature_def": {"signature_def": {"serving_default": signature}}},
        },
    )
