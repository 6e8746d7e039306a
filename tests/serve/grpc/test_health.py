"""`grpc.health.v1`, as `grpc_health_probe` asks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.serve.grpc.door import PREDICTION, Door, Refused, door
from tests.serve.grpc.models import Gate, double, small_models
from tests.serve.numpy_models import loaded
from workbench.serve.grpc.messages import enum_numbers, message
from workbench.serve.models import Model, Models

STATUS = enum_numbers("grpc.health.v1.HealthCheckResponse.ServingStatus")
REPLY = message("grpc.health.v1.HealthCheckResponse")


def asked(service: str) -> bytes:
    data: bytes = message("grpc.health.v1.HealthCheckRequest")(service=service).SerializeToString()
    return data


def check(client: Door, service: str = "") -> Any:
    return REPLY.FromString(client.raw("grpc.health.v1.Health/Check", asked(service))).status


@pytest.mark.parametrize("service", ["", PREDICTION, "tensorflow.serving.ModelService"])
def test_serving(service: str) -> None:
    with door(Models({"double": Model({1: loaded("double", 1, double(2))})}), health=True) as client:
        assert check(client, service) == STATUS["SERVING"]


def test_not_serving_until_all_models_are() -> None:
    models = Models({"double": Model({1: loaded("double", 1, None)})})
    with door(models, health=True) as client:
        assert check(client) == STATUS["NOT_SERVING"]


def test_unknown_service(small: Door) -> None:
    with pytest.raises(Refused) as refused:
        check(small, "no.Service")
    assert refused.value.code == "NOT_FOUND"


def test_watching_tells_of_a_change() -> None:
    broken, good = loaded("double", 1, None), loaded("double", 1, double(2))
    model = Model({1: broken})
    with door(Models({"double": model}), health=True) as client:
        call = client.channel.unary_stream("/grpc.health.v1.Health/Watch")(asked(""), timeout=20)
        assert REPLY.FromString(next(call)).status == STATUS["NOT_SERVING"]
        model.versions[1] = good
        assert REPLY.FromString(next(call)).status == STATUS["SERVING"]
        call.cancel()


def test_watching_what_is_unknown(small: Door) -> None:
    call = small.channel.unary_stream("/grpc.health.v1.Health/Watch")(asked("no.Service"), timeout=20)
    assert REPLY.FromString(next(call)).status == STATUS["SERVICE_UNKNOWN"]
    call.cancel()


def test_only_where_it_is_wanted(gate: Gate) -> None:
    with door(small_models(gate)) as client, pytest.raises(Refused) as refused:
        check(client)
    assert refused.value.code == "UNIMPLEMENTED"
