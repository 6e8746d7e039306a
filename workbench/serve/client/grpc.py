"""TensorFlow Serving's gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError
from workbench.serve.client.face import RefusedError, VersionStatus, Who
from workbench.serve.client.rpc import Rpc
from workbench.serve.client.signatures import Signatures, named
from workbench.serve.grpc.messages import enum_numbers, message
from workbench.serve.grpc.tensors import read_tensors, write_tensor
from workbench.serve.signature import DEFAULT, TYPES, Tensor
from workbench.serve.status import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.core.records import ServingStats
    from workbench.serve.client.access import Access
    from workbench.serve.client.face import Array

_PREDICTION = "/tensorflow.serving.PredictionService"
_MODEL = "/tensorflow.serving.ModelService"
_MOST_BYTES = (1 << 31) - 1
_DTYPES = {proto: dtype for dtype, (proto, _) in TYPES.items()}


class Grpc:
    """Asks `PredictionService` and `ModelService`."""

    def __init__(self, access: Access) -> None:
        self._name = access.model
        self._rpc = Rpc(access)
        self._signatures = Signatures(self._inputs)

    def predict(self, inputs: Array | Mapping[str, Array], who: Who, seconds: float) -> dict[str, Array]:
        """Return the outputs by name."""
        request = message("tensorflow.serving.PredictRequest")()
        self._spec(request.model_spec, who)
        for name, array in named(inputs, self._signatures.inputs(who, seconds)).items():
            try:
                write_tensor(array, request.inputs[name], as_content=True)
            except KeyError:
                raise BadInputError.of(name, rule="must be of a type that TensorFlow has", got=array.dtype) from None
        answer = message("tensorflow.serving.PredictResponse")
        try:
            reply = self._rpc.ask(f"{_PREDICTION}/Predict", request, answer, seconds, who.headers)
            return read_tensors(reply.outputs, _MOST_BYTES)
        except RequestError as error:
            raise RefusedError("with something else than outputs", error.message) from None
        except RefusedError as refused:
            if not refused.again:
                self._signatures.forget(who)
            raise

    def status(self, seconds: float) -> tuple[VersionStatus, ...]:
        """Return the versions, newest first."""
        request = message("tensorflow.serving.GetModelStatusRequest")()
        request.model_spec.name = self._name
        answer = message("tensorflow.serving.GetModelStatusResponse")
        reply = self._rpc.ask(f"{_MODEL}/GetModelStatus", request, answer, seconds)
        states = {number: name for name, number in enum_numbers("tensorflow.serving.ModelVersionStatus.State").items()}
        rows = sorted(reply.model_version_status, key=lambda row: -row.version)
        return tuple(
            VersionStatus(
                version=row.version, state=states.get(row.state, "UNKNOWN"), error=str(row.status.error_message)
            )
            for row in rows
        )

    def metadata(self, seconds: float) -> dict[str, Any]:
        """Return the `SignatureDef`s as REST has them in JSON."""
        from google.protobuf.json_format import MessageToDict

        reply, signatures = self._metadata(Who(), seconds)
        found = MessageToDict(
            signatures, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )  # fmt: skip
        spec = {"name": self._name, "signature_name": "", "version": str(reply.model_spec.version.value)}
        return {"model_spec": spec, "metadata": {"signature_def": found}}

    def ready(self, seconds: float) -> bool:
        """Tell whether a version is `AVAILABLE`."""
        return any(one.state == "AVAILABLE" for one in self.status(seconds))

    def stats(self, seconds: float) -> ServingStats:
        """Refuse: gRPC has no place for it."""
        del seconds
        raise no_stats()

    def close(self) -> None:
        """Close the channel."""
        self._rpc.close()

    def _metadata(self, who: Who, seconds: float) -> tuple[Any, Any]:
        request = message("tensorflow.serving.GetModelMetadataRequest")()
        self._spec(request.model_spec, Who(who.version, who.label))
        request.metadata_field.append("signature_def")
        answer = message("tensorflow.serving.GetModelMetadataResponse")
        reply = self._rpc.ask(f"{_PREDICTION}/GetModelMetadata", request, answer, seconds)
        value = reply.metadata["signature_def"].value
        return reply, message("tensorflow.serving.SignatureDefMap").FromString(value)

    def _inputs(self, who: Who, seconds: float) -> tuple[Tensor, ...]:
        _, signatures = self._metadata(who, seconds)
        infos = signatures.signature_def[who.signature or DEFAULT].inputs
        types = {number: name for name, number in enum_numbers("tensorflow.DataType").items()}
        return tuple(
            Tensor(name, _DTYPES.get(types.get(info.dtype, ""), ""), tuple(dim.size for dim in info.tensor_shape.dim))
            for name, info in infos.items()
        )

    def _spec(self, spec: Any, who: Who) -> None:
        spec.name = self._name
        spec.signature_name = who.signature or ""
        if who.version is not None:
            spec.version.value = who.version
        elif who.label is not None:
            spec.version_label = who.label


def no_stats() -> BadInputError:
    """Return the error for asking a gRPC address for counts."""
    return BadInputError("url must start with http:// to read what a server counted: gRPC has no place for it.")
