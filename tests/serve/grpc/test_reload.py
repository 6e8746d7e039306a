"""Another configuration over gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.serve.grpc.door import MODEL, Door, Refused, door, predict_request
from tests.serve.grpc.models import Gate, small_models
from workbench.serve.config.model_config import All, Latest, ModelConfig, Specific
from workbench.serve.control import NoControl, Reload
from workbench.serve.grpc.messages import message
from workbench.serve.security.guard import Caller, caller
from workbench.serve.status import Code, RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

METRIC = "/tensorflow/serving/request_count"


class Recorded(NoControl):
    """Keeps what it was asked, or refuses it."""

    def __init__(self) -> None:
        super().__init__()
        self.configs: list[ModelConfig] = []
        self.caller: Caller | None = None
        self.refusal: RequestError | None = None

    async def reload(self, configs: Sequence[ModelConfig]) -> Reload:
        if self.refusal is not None:
            raise self.refusal
        self.configs, self.caller = list(configs), caller()
        return Reload()


@pytest.fixture
def control() -> Recorded:
    return Recorded()


@pytest.fixture
def client(control: Recorded, gate: Gate) -> Iterator[Door]:
    with door(small_models(gate), control=control) as found:
        yield found


def config(**policy: Any) -> Any:
    request = message("tensorflow.serving.ReloadConfigRequest")()
    one = request.config.model_config_list.config.add()
    one.name, one.base_path, one.model_platform = "mnist", "/models/mnist", "tensorflow"
    for kind, fields in policy.items():
        getattr(one.model_version_policy, kind).SetInParent()
        for name, value in fields.items():
            if isinstance(value, list):
                getattr(getattr(one.model_version_policy, kind), name).extend(value)
            else:
                setattr(getattr(one.model_version_policy, kind), name, value)
    return request


def reload(client: Door, request: Any) -> Any:
    return client.ask(MODEL, "HandleReloadConfigRequest", request, "ReloadConfigResponse")


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, Latest()),
        ({"latest": {}}, Latest()),
        ({"latest": {"num_versions": 3}}, Latest(num_versions=3)),
        ({"all": {}}, All()),
        ({"specific": {"versions": [3, 7]}}, Specific(versions=(3, 7))),
    ],
    ids=["default", "latest", "latest 3", "all", "specific"],
)
def test_policies(client: Door, control: Recorded, policy: dict[str, Any], expected: Any) -> None:
    reply = reload(client, config(**policy))
    assert reply.HasField("status")
    assert (reply.status.error_code, reply.status.error_message) == (0, "")
    (one,) = control.configs
    assert (one.name, one.base_path, one.policy) == ("mnist", "/models/mnist", expected)


def test_labels_and_who_asks(client: Door, control: Recorded) -> None:
    request = config()
    request.config.model_config_list.config[0].version_labels["stable"] = 7
    reload(client, request)
    assert control.configs[0].labels == {"stable": 7}
    assert control.caller is not None
    assert "127.0.0.1" in control.caller.peer


def test_names_of_every_script(client: Door, control: Recorded) -> None:
    request = config()
    one = request.config.model_config_list.config[0]
    one.name, one.base_path = 'modèle "7"', "/données/\\x"
    reload(client, request)
    assert (control.configs[0].name, control.configs[0].base_path) == ('modèle "7"', "/données/\\x")


def test_an_empty_list_is_a_configuration(client: Door, control: Recorded) -> None:
    request = message("tensorflow.serving.ReloadConfigRequest")()
    request.config.model_config_list.SetInParent()
    control.configs = [ModelConfig(name="old", base_path="/old")]
    reload(client, request)
    assert control.configs == []


def test_increases_of_metrics(client: Door) -> None:
    import numpy as np

    client.predict(predict_request("double", x=np.ones((1, 2), np.float32)))
    request = config()
    request.metric_names.extend([METRIC, "/nobody/counts/this"])
    found = {one.name: one for one in reload(client, request).metric}
    assert {name: one.int64_value_increase for name, one in found.items()} == {METRIC: 0, "/nobody/counts/this": 0}
    assert found[METRIC].HasField("int64_value_increase")


def custom(request: Any) -> None:
    request.config.custom_model_config.SetInParent()


def platform(request: Any) -> None:
    request.config.model_config_list.config[0].model_platform = "caffe"


def no_platform(request: Any) -> None:
    request.config.model_config_list.config[0].model_platform = ""


def twice(request: Any) -> None:
    request.config.model_config_list.config.append(request.config.model_config_list.config[0])


def negative(request: Any) -> None:
    request.config.model_config_list.config[0].model_version_policy.specific.versions.append(-1)


def odd_name(request: Any) -> None:
    request.config.model_config_list.config[0].name = 'a"\n/\\'


def relative(request: Any) -> None:
    request.config.model_config_list.config[0].base_path = "models"


def sign(request: Any) -> None:
    request.config.model_config_list.config[0].version_labels["a/b"] = 1


def nothing(request: Any) -> None:
    request.ClearField("config")


@pytest.mark.parametrize("edit", [custom, platform, no_platform, twice, negative, odd_name, relative, sign, nothing])
def test_configurations_that_are_none(client: Door, control: Recorded, edit: Any) -> None:
    request = config()
    edit(request)
    with pytest.raises(Refused) as refused:
        reload(client, request)
    assert refused.value.code == "INVALID_ARGUMENT"
    assert control.configs == []


def test_a_refusal_is_told(client: Door, control: Recorded) -> None:
    control.refusal = RequestError(Code.FAILED_PRECONDITION, "no such version")
    with pytest.raises(Refused) as refused:
        reload(client, config())
    assert (refused.value.code, refused.value.details) == ("FAILED_PRECONDITION", "no such version")


def test_a_server_that_never_changes(small: Door) -> None:
    with pytest.raises(Refused) as refused:
        reload(small, config())
    assert refused.value.code == "UNIMPLEMENTED"
