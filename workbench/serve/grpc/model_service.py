"""`tensorflow.serving.ModelService`: states of versions, and another configuration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import text_format

from workbench.core.errors import BadInputError
from workbench.serve.config.model_server import read_models
from workbench.serve.grpc.call import add_service
from workbench.serve.grpc.messages import enum_numbers, message
from workbench.serve.grpc.model_spec import model_spec
from workbench.serve.metrics import MetricsPage
from workbench.serve.models import Target
from workbench.serve.status import Code, invalid

if TYPE_CHECKING:
    from workbench.serve.config.model_config import ModelConfig
    from workbench.serve.control import Control
    from workbench.serve.grpc.call import Call
    from workbench.serve.inference import Inference

NAME = "tensorflow.serving.ModelService"

_STATES = "tensorflow.serving.ModelVersionStatus.State"


class ModelService:
    """Answers for it as TensorFlow Serving does."""

    def __init__(self, inference: Inference, control: Control) -> None:
        self._models = inference.models
        self._control = control
        self._page = MetricsPage(inference.counters)

    def add_to(self, server: grpc.aio.Server) -> None:
        """Make a server answer for it."""
        add_service(server, NAME, {"GetModelStatus": self.status, "HandleReloadConfigRequest": self.reload})

    async def status(self, request: Any, call: Call) -> Any:  # noqa: ARG002 - all methods have one form
        """Answer a `GetModelStatusRequest` with the states of one version or of all, newest first."""
        spec = model_spec(request)
        version = spec.version.value if spec.HasField("version") else None
        reply = message("tensorflow.serving.GetModelStatusResponse")()
        states = enum_numbers(_STATES)
        for servable in self._models.listed(Target(spec.name, version)):
            one = reply.model_version_status.add(version=servable.version, state=states[servable.state])
            _write_status(one.status, Code.OK if servable.error is None else Code.UNKNOWN, servable.error or "")
        return reply

    async def reload(self, request: Any, call: Call) -> Any:  # noqa: ARG002 - all methods have one form
        """Answer a `ReloadConfigRequest`: its models are served from now on, and no others."""
        if request.config.WhichOneof("config") != "model_config_list":
            raise invalid(
                "ServerModelConfig type not supported by HandleReloadConfigRequest."
                " Only ModelConfigList is currently supported"
            )
        configs = _read_configs(request.config)
        before = self._metrics(request.metric_names)
        await self._control.reload(configs)
        reply = message("tensorflow.serving.ReloadConfigResponse")()
        _write_status(reply.status, Code.OK, "")
        for name, value in self._metrics(request.metric_names).items():
            reply.metric.add(name=name, int64_value_increase=value - before[name])
        return reply

    def _metrics(self, names: Any) -> dict[str, int]:
        if not names:
            return {}
        page = self._page.render().decode()
        return {name: _first_value(page, name) for name in names}


def _read_configs(config: Any) -> list[ModelConfig]:
    # As text, for what a configuration may say is written down once, beside the files' reader.
    try:
        return read_models(text_format.MessageToString(config))
    except BadInputError as error:
        raise invalid(str(error)) from None


def _first_value(page: str, name: str) -> int:
    # The original counts under names with slashes, which its page writes as colons; of several series it takes one.
    line = re.search(rf"^{re.escape(name.replace('/', ':'))}(?:{{.*}})? (\S+)", page, re.MULTILINE)
    return 0 if line is None else int(float(line[1]))


def _write_status(status: Any, code: Code, text: str) -> None:
    status.SetInParent()
    status.error_code = grpc.StatusCode[code.name].value[0]
    status.error_message = text
