"""`tensorflow.serving.PredictionService`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from workbench.serve.grpc.call import add_service
from workbench.serve.grpc.examples import Examples
from workbench.serve.grpc.messages import message
from workbench.serve.grpc.model_spec import model_spec, target_of, write_spec
from workbench.serve.grpc.signature_def import signature_def_map
from workbench.serve.grpc.tensors import read_tensors, write_tensor
from workbench.serve.signature import DEFAULT
from workbench.serve.status import Code, RequestError, invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import grpc
    import numpy as np

    from workbench.serve.grpc.call import Call
    from workbench.serve.inference import Inference
    from workbench.serve.servable import Servable
    from workbench.serve.signature import Signature, Tensor

    Arrays = dict[str, np.ndarray[Any, Any]]

NAME = "tensorflow.serving.PredictionService"

_COUNTED = ("Predict", "Classify", "Regress")
_SIGNATURES = "signature_def"


class PredictionService:
    """Predictions and how to ask for them; statuses and words are TensorFlow Serving's."""

    def __init__(self, inference: Inference, max_bytes: int, *, tensor_content: bool = False) -> None:
        self._inference = inference
        self._counters = inference.counters
        self._max_bytes = max_bytes
        self._tensor_content = tensor_content
        self._examples = Examples(inference)

    def add_to(self, server: grpc.aio.Server) -> None:
        """Make a server answer for it."""
        examples = self._examples
        answers = {
            "Predict": self.predict,
            "GetModelMetadata": self.metadata,
            "Classify": examples.classify,
            "Regress": examples.regress,
            "MultiInference": examples.multi,
        }
        add_service(server, NAME, answers, self._count)

    async def predict(self, request: Any, call: Call) -> Any:
        """Answer a `PredictRequest` with the outputs that it names, or with all."""
        spec = model_spec(request)
        servable = self._inference.choose(target_of(spec))
        name = spec.signature_name or DEFAULT
        signature = _signature(servable, name)
        _check_names(request.inputs, signature.inputs)
        feeds = read_tensors(request.inputs, self._max_bytes)
        wanted = _wanted(request.output_filter, signature.outputs)
        before = time.perf_counter()
        outputs = await self._inference.run(servable, feeds, name, call.deadline)
        ran = time.perf_counter()
        reply = message("tensorflow.serving.PredictResponse")()
        write_spec(reply.model_spec, servable, name)
        for each in wanted or outputs:
            write_tensor(outputs[each], reply.outputs[each], as_content=self._tensor_content)
        self._count_answer(servable, feeds, call.begin, before, ran)
        return reply

    async def metadata(self, request: Any, call: Call) -> Any:  # noqa: ARG002 - all methods have one form
        """Answer a `GetModelMetadataRequest` with how a version can be called."""
        spec = model_spec(request)
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != _SIGNATURES:
                raise invalid(f"Metadata field {field} is not supported")
        servable = self._inference.find(target_of(spec))
        reply = message("tensorflow.serving.GetModelMetadataResponse")()
        write_spec(reply.model_spec, servable)
        reply.metadata[_SIGNATURES].Pack(signature_def_map(servable.signatures))
        return reply

    def _count_answer(self, servable: Servable, feeds: Arrays, begin: float, before: float, ran: float) -> None:
        examples = max((array.shape[0] for array in feeds.values() if array.ndim), default=1)
        end = time.perf_counter()
        self._counters.count_answer(
            servable.name, end - begin, ran - before, examples, api="GRPC", encode_seconds=end - ran
        )

    def _count(self, method: str, request: Any, code: Code) -> None:
        if method not in _COUNTED:
            return
        name = "" if request is None else request.model_spec.name
        self._counters.count_request(name, code.name)
        if code is not Code.OK:
            self._counters.count_error(name)


def _signature(servable: Servable, name: str) -> Signature:
    try:
        return servable.signatures[name]
    except KeyError:
        raise RequestError(Code.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.') from None


def _check_names(sent: Iterable[str], inputs: Sequence[Tensor]) -> None:
    have, want = set(sent), {tensor.name for tensor in inputs}
    if have == want:
        return
    if len(have) != len(want):
        raise invalid(
            f"input size does not match signature: {len(have)}!={len(want)} len({_set(have)}) != len({_set(want)})."
            f" Sent extra: {_set(have - want)}. Missing but required: {_set(want - have)}."
        )
    missing = next(tensor for tensor in inputs if tensor.name not in have)
    raise invalid(
        f"Signature input alias: {missing.name}(feed name: {missing.graph_name or f'{missing.name}:0'})"
        " not found in request and no default value provided."
        f" Inputs expected to be in the request {_set(have)}, or default input alias set: "
    )


def _wanted(names: Sequence[str], outputs: Sequence[Tensor]) -> list[str]:
    wanted: list[str] = []
    known = {tensor.name for tensor in outputs}
    for name in names:
        if name not in known:
            raise invalid(
                f"output tensor alias not found in signature: {name} Outputs expected to be in the set {_set(known)}."
            )
        if name in wanted:
            raise invalid(f"duplicate output tensor alias: {name}")
        wanted.append(name)
    return wanted


def _set(names: set[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"
