"""The status and metadata replies, field for field as TensorFlow Serving prints its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.serve.models import Listed
    from workbench.serve.servable import Servable
    from workbench.serve.signature import Signature, Tensor


def status_json(versions: Sequence[Listed]) -> bytes:
    """Return the state of each version; int64 is text in JSON, empty fields are printed."""
    return orjson.dumps({"model_version_status": [_status(one) for one in versions]})


def _status(version: Listed) -> dict[str, Any]:
    return {
        "version": str(version.version),
        "state": version.state,
        "status": {
            "error_code": "OK" if version.error is None else "UNKNOWN",
            "error_message": version.error or "",
        },
    }


def metadata_json(servable: Servable) -> bytes:
    """Return how a version can be called."""
    signatures = {name: _signature(one) for name, one in servable.signatures.items()}
    return orjson.dumps(
        {
            "model_spec": {"name": servable.name, "signature_name": "", "version": str(servable.version)},
            "metadata": {"signature_def": {"signature_def": signatures}},
        }
    )


def _signature(signature: Signature) -> dict[str, Any]:
    return {
        "inputs": {tensor.name: _tensor(tensor) for tensor in signature.inputs},
        "outputs": {tensor.name: _tensor(tensor) for tensor in signature.outputs},
        "method_name": f"tensorflow/serving/{signature.method}",
        "defaults": {},
    }


def _tensor(tensor: Tensor) -> dict[str, Any]:
    return {
        "dtype": tensor.proto_type,
        "tensor_shape": {
            "dim": [{"size": str(size), "name": ""} for size in tensor.shape],
            "unknown_rank": tensor.unknown_rank,
        },
        "name": tensor.graph_name or f"{tensor.name}:0",
    }
