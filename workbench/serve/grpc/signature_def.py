"""How a version can be called, as TensorFlow's `SignatureDef` says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.serve.grpc.messages import enum_numbers, message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.serve.signature import Signature, Tensor

METHODS = {each: f"tensorflow/serving/{each}" for each in ("predict", "classify", "regress")}
"""TensorFlow's name of each way to call a model."""


def signature_def_map(signatures: Mapping[str, Signature]) -> Any:
    """Return a `SignatureDefMap`.

    Args:
        signatures: By name.
    """
    found = message("tensorflow.serving.SignatureDefMap")()
    for name, signature in signatures.items():
        one = found.signature_def[name]
        one.method_name = METHODS[signature.method]
        _write(one.inputs, signature.inputs)
        _write(one.outputs, signature.outputs)
    return found


def _write(infos: Any, tensors: Sequence[Tensor]) -> None:
    for tensor in tensors:
        info = infos[tensor.name]
        info.name = tensor.graph_name or f"{tensor.name}:0"
        info.dtype = enum_numbers("tensorflow.DataType")[tensor.proto_type]
        info.tensor_shape.unknown_rank = tensor.unknown_rank
        info.tensor_shape.SetInParent()  # a scalar has a shape too
        for size in tensor.shape:
            info.tensor_shape.dim.add().size = size
