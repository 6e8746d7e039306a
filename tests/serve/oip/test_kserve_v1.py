"""The extra port: KServe's V1 form, with V2 beside it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from workbench.serve.control import NoControl
from workbench.serve.limits import Limits
from workbench.serve.oip.kserve_v1 import oip_port_app
from workbench.serve.rest.app import rest_app
from workbench.serve.security import Security, new_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.serve.oip.conftest import Asked  # type: ignore[import-not-found]


@pytest.fixture
def port(open_door: Callable[..., Asked]) -> Asked:
    asked = open_door()
    models = asked.inference.models
    rest = rest_app(asked.inference, NoControl(models), Limits(), Security())
    asked.app = oip_port_app(models, rest)
    return asked


def test_alive(port: Asked) -> None:
    assert port("GET", "/") == (200, {"status": "alive"})


def test_models(port: Asked) -> None:
    assert {"double", "pair"} <= set(port("GET", "/v1/models")[1]["models"])
    assert port("GET", "/v1/models/double") == (200, {"name": "double", "ready": True})
    assert port("GET", "/v1/models/none") == (404, {"error": "Model with name none does not exist."})


def test_names_are_told_to_those_with_a_key(port: Asked) -> None:
    key = new_key()
    security = Security(api_keys={key.sha256: "predict"})
    models = port.inference.models
    port.app = oip_port_app(models, rest_app(port.inference, NoControl(models), Limits(), security))
    for path in ("/v1/models", "/v1/models/double", "/v1/models/none", "/v2/models/double"):
        assert port("GET", path)[0] == 401
    assert port.send("GET", "/v1/models/double", X_API_Key=key.key).json() == {"name": "double", "ready": True}
    assert port("GET", "/") == (200, {"status": "alive"})


def test_a_model_that_was_unloaded(port: Asked) -> None:
    model = port.inference.models.model("pair")
    assert model is not None
    for version in model.versions.values():
        version.close()
    assert port("GET", "/v1/models/pair")[0] == 503


@pytest.mark.parametrize("body", [{"instances": [[1, 2]]}, {"instances": [{"x": [1, 2]}]}])
def test_predict(port: Asked, body: Any) -> None:
    assert port("POST", "/v1/models/double:predict", body) == (200, {"predictions": [[2.0, 4.0]]})


def test_v2_and_health_are_there_too(port: Asked) -> None:
    assert port("GET", "/v2/health/ready") == (200, {"ready": True})
    assert port("GET", "/v2/models/double/ready")[0] == 200
    assert port("GET", "/healthz")[0] == 200


def test_what_is_no_request_is_left_alone(port: Asked) -> None:
    async def never(*_: Any) -> Any:
        raise AssertionError

    asyncio.run(port.app({"type": "lifespan"}, never, never))
