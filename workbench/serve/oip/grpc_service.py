"""`inference.GRPCInferenceService`: the protocol over gRPC, for KServe's and Triton's clients."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from workbench.serve.grpc.call import add_service
from workbench.serve.grpc.messages import message
from workbench.serve.models import Target
from workbench.serve.oip.grpc_tensors import read_feeds, write_outputs
from workbench.serve.oip.inputs import cut, examples, slow_to_read, wanted
from workbench.serve.oip.metadata import find, is_ready, model_metadata, repository_index, server_metadata
from workbench.serve.signature import DEFAULT
from workbench.serve.status import Code, RequestError, invalid

if TYPE_CHECKING:
    import grpc

    from workbench.serve.control import Control
    from workbench.serve.grpc.call import Call
    from workbench.serve.inference import Inference
    from workbench.serve.signature import Signature

NAME = "inference.GRPCInferenceService"

_MAX_DIGITS = 19
# Of extensions that are not offered; to answer as if they had not been asked for would be wrong.
_UNSUPPORTED = ("shared_memory_region", "classification")


def add_to(server: grpc.aio.Server, inference: Inference, control: Control) -> None:
    """Make a server answer for the service.

    Args:
        server: It is not started yet.
        inference: What answers.
        control: What loads and unloads models.
    """
    InferenceService(inference, control).add_to(server)


class InferenceService:
    """Statuses and words are Triton's."""

    def __init__(self, inference: Inference, control: Control) -> None:
        self._inference = inference
        self._models = inference.models
        self._counters = inference.counters
        self._control = control

    def add_to(self, server: grpc.aio.Server) -> None:
        """Make a server answer for it."""
        answers = {
            "ServerLive": self.live,
            "ServerReady": self.ready,
            "ServerMetadata": self.server,
            "ModelReady": self.model_ready,
            "ModelMetadata": self.metadata,
            "ModelInfer": self.infer,
            "RepositoryIndex": self.index,
            "RepositoryModelLoad": self.load,
            "RepositoryModelUnload": self.unload,
        }
        add_service(server, NAME, answers, self._count)

    async def live(self, request: Any, call: Call) -> Any:
        """Answer that the server lives."""
        del request, call
        return message("inference.ServerLiveResponse")(live=True)

    async def ready(self, request: Any, call: Call) -> Any:
        """Answer whether every model has a version that answers."""
        del request, call
        return message("inference.ServerReadyResponse")(ready=self._models.loaded())

    async def server(self, request: Any, call: Call) -> Any:
        """Answer with the server's name, version and extensions."""
        del request, call
        return message("inference.ServerMetadataResponse")(**server_metadata(self._control))

    async def model_ready(self, request: Any, call: Call) -> Any:
        """Answer whether a model, or one version of it, answers."""
        del call
        ready = is_ready(self._models, _target(request.name, request.version))
        return message("inference.ModelReadyResponse")(ready=bool(ready))

    async def metadata(self, request: Any, call: Call) -> Any:
        """Answer with how a model can be called."""
        del call
        document = model_metadata(self._inference, _target(request.name, request.version))
        return message("inference.ModelMetadataResponse")(**document)

    async def infer(self, request: Any, call: Call) -> Any:
        """Answer a `ModelInferRequest`, in raw bytes where it came in raw bytes."""
        servable = find(self._inference, _target(request.model_name, request.model_version), to_run=True)
        signature = servable.signature("")
        if slow_to_read(signature, request.ByteSize()):
            with servable.in_use():  # it must not be unloaded meanwhile
                feeds = await asyncio.to_thread(read_feeds, request, servable.name, signature)
        else:
            feeds = read_feeds(request, servable.name, signature)
        names = _outputs(request, servable.name, signature)
        before = time.perf_counter()
        outputs = await self._inference.run(servable, feeds, DEFAULT, call.deadline)
        after = time.perf_counter()
        kept = {name: array for name, array in outputs.items() if not names or name in names}
        reply = message("inference.ModelInferResponse")(
            model_name=servable.name, model_version=str(servable.version), id=request.id
        )
        write_outputs(kept, reply, raw=bool(request.raw_input_contents))
        end = time.perf_counter()
        self._counters.count_answer(
            servable.name, end - call.begin, after - before, examples(feeds), api="OIP", encode_seconds=end - after
        )
        return reply

    async def index(self, request: Any, call: Call) -> Any:
        """Answer with every version there is."""
        del call
        reply = message("inference.RepositoryIndexResponse")()
        for row in repository_index(self._control, ready=request.ready):
            reply.models.add(**row)
        return reply

    async def load(self, request: Any, call: Call) -> Any:
        """Load a model, or load it again."""
        del call
        name = request.second_name or request.first_name
        await self._control.load(name)
        return message("inference.RepositoryModelLoadResponse")(model_name=name, is_loaded=True)

    async def unload(self, request: Any, call: Call) -> Any:
        """Unload a model."""
        del call
        name = request.second_name or request.first_name
        await self._control.unload(name)
        return message("inference.RepositoryModelUnloadResponse")(model_name=name, is_unloaded=True)

    def _count(self, method: str, request: Any, code: Code) -> None:
        if method not in ("ModelInfer", "ModelMetadata"):
            return
        name = "" if request is None else request.model_name if method == "ModelInfer" else request.name
        self._counters.count_request(name, code.name)
        if method == "ModelInfer" and code is not Code.OK:
            self._counters.count_error(name)


def _target(name: str, version: str) -> Target:
    if not version:
        return Target(name)
    if not (version.isascii() and version.isdigit() and len(version) <= _MAX_DIGITS):
        raise invalid(f"invalid model version specified '{cut(version)}', version should be an integral value > 0")
    return Target(name, int(version))


def _outputs(request: Any, model: str, signature: Signature) -> set[str]:
    for holder in (request, *request.inputs, *request.outputs):
        for name in holder.parameters:
            if name in _UNSUPPORTED:
                raise RequestError(Code.UNIMPLEMENTED, f"'{name}' is of an extension that this server does not offer")
    return {wanted(model, signature, one.name) for one in request.outputs}
