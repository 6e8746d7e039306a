"""The Open Inference Protocol v2 over gRPC; tensors travel as raw bytes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from workbench.serve.client.face import RefusedError, Who
from workbench.serve.client.grpc import no_stats
from workbench.serve.client.oip_http import refuse_unknown, versions_of, versions_ready
from workbench.serve.client.oip_tensors import from_bytes, from_values, read_inputs
from workbench.serve.client.rpc import Rpc
from workbench.serve.client.signatures import Signatures, named
from workbench.serve.grpc.messages import message
from workbench.serve.oip.binary import write_binary
from workbench.serve.oip.datatypes import array_datatype

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.core.records import ServingStats
    from workbench.serve.client.access import Access
    from workbench.serve.client.face import Array, VersionStatus
    from workbench.serve.signature import Tensor

_NO_INDEX = ("UNIMPLEMENTED", "UNAUTHENTICATED", "PERMISSION_DENIED", "NOT_FOUND")
_INDEXED = ("name", "version", "state", "reason")
_FIELDS = {
    "BOOL": "bool_contents", **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"), "INT64": "int64_contents",
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"), "UINT64": "uint64_contents",
    "FP32": "fp32_contents", "FP64": "fp64_contents", "BYTES": "bytes_contents",
}  # fmt: skip


class OipGrpc:
    """Asks `GRPCInferenceService`."""

    def __init__(self, access: Access) -> None:
        self._name = access.model
        self._rpc = Rpc(access)
        self._signatures = Signatures(self._inputs)

    def predict(self, inputs: Array | Mapping[str, Array], who: Who, seconds: float) -> dict[str, Array]:
        """Return the outputs by name."""
        refuse_unknown(who)
        request = message("inference.ModelInferRequest")(model_name=self._name, model_version=_version(who))
        for name, array in named(inputs, self._signatures.inputs(who, seconds)).items():
            request.inputs.add(name=name, datatype=array_datatype(array), shape=array.shape)
            request.raw_input_contents.append(bytes(write_binary(array)))
        try:
            reply = self._ask("ModelInfer", request, "ModelInferResponse", seconds, who.headers)
        except RefusedError as refused:
            if not refused.again:
                self._signatures.forget(who)
            raise
        return _outputs(reply)

    def status(self, seconds: float) -> tuple[VersionStatus, ...]:
        """Return the versions, newest first: the repository's, or, where it is not listed, those that are ready."""
        rows: list[dict[str, Any]] = []
        try:
            request = message("inference.RepositoryIndexRequest")()
            reply = self._ask("RepositoryIndex", request, "RepositoryIndexResponse", seconds)
            rows = [
                {name: getattr(one, name) for name in ("name", "version", "state", "reason")} for one in reply.models
            ]
        except RefusedError as refused:
            if refused.status not in _NO_INDEX:
                raise
        return versions_of(rows, self._name) or versions_ready(self.metadata(seconds))

    def metadata(self, seconds: float) -> dict[str, Any]:
        """Return name, versions, inputs and outputs, as over HTTP."""
        return self._metadata(Who(), seconds)

    def ready(self, seconds: float) -> bool:
        """Tell whether the model is ready."""
        request = message("inference.ModelReadyRequest")(name=self._name)
        try:
            return bool(self._ask("ModelReady", request, "ModelReadyResponse", seconds).ready)
        except RefusedError as refused:
            if refused.status:
                return False
            raise

    def stats(self, seconds: float) -> ServingStats:
        """Refuse: gRPC has no place for it."""
        del seconds
        raise no_stats()

    def close(self) -> None:
        """Close the channel."""
        self._rpc.close()

    def _ask(
        self, method: str, request: Any, answer: str, seconds: float, headers: tuple[tuple[str, str], ...] = ()
    ) -> Any:
        return self._rpc.ask(
            f"/inference.GRPCInferenceService/{method}", request, message(f"inference.{answer}"), seconds, headers
        )

    def _metadata(self, who: Who, seconds: float) -> dict[str, Any]:
        request = message("inference.ModelMetadataRequest")(name=self._name, version=_version(who))
        reply = self._ask("ModelMetadata", request, "ModelMetadataResponse", seconds)
        tensors = {
            side: [
                {"name": one.name, "datatype": one.datatype, "shape": list(one.shape)} for one in getattr(reply, side)
            ]
            for side in ("inputs", "outputs")
        }
        return {"name": reply.name, "versions": list(reply.versions), "platform": reply.platform, **tensors}

    def _inputs(self, who: Who, seconds: float) -> tuple[Tensor, ...]:
        return read_inputs(self._metadata(who, seconds)["inputs"])


def _version(who: Who) -> str:
    return "" if who.version is None else str(who.version)


def _outputs(reply: Any) -> dict[str, Array]:
    found: dict[str, Array] = {}
    try:
        for index, one in enumerate(reply.outputs):
            if reply.raw_output_contents:
                found[one.name] = from_bytes(reply.raw_output_contents[index], one.datatype, list(one.shape))
                continue
            values = list(getattr(one.contents, _FIELDS[one.datatype]))
            found[one.name] = from_values(values, one.datatype, list(one.shape))
    except (KeyError, IndexError, ValueError, struct.error) as error:
        raise RefusedError("with something else than outputs", repr(error)) from None
    return found
