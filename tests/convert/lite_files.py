"""TFLite files made by hand, good ones and ones that no converter would write; no TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

if TYPE_CHECKING:
    from collections.abc import Callable

FLOAT, HALF = schema.TensorType.FLOAT32, schema.TensorType.FLOAT16
_WEIGHTS = np.arange(8, dtype=np.float32).reshape(2, 4) / 8


def lite_file(change: Callable[[Any], object] | None = None) -> bytes:
    """Return a model of one fully connected layer, (1, 4) to (1, 2); `change` is given its tables first."""
    model = _model(
        [_tensor("x", [1, 4], FLOAT, 0), _tensor("weights", [2, 4], FLOAT, 1), _tensor("y", [1, 2], FLOAT, 0)],
        [(schema.BuiltinOperator.FULLY_CONNECTED, [0, 1, -1], [2])],
        [b"", _WEIGHTS.tobytes()],
    )
    if change is not None:
        change(model)
    return written(model)


def crashing_file() -> bytes:
    """Return a model that makes LiteRT read far behind the end of a constant: its widened twin claims 256 MB."""
    halves = np.ones(4, np.float16).tobytes()
    tensors = [
        *(_tensor("x", [1, 4], FLOAT, 0), _tensor("constant", [4], HALF, 1)),
        *(_tensor("widened", [1 << 26], FLOAT, 0), _tensor("y", [1, 4], FLOAT, 0)),
    ]
    operators = [
        (schema.BuiltinOperator.DEQUANTIZE, [1], [2]),
        (schema.BuiltinOperator.ADD, [0, 2], [3]),
    ]
    return written(_model(tensors, operators, [b"", halves]))


def flattening_file(*, at_once: bool) -> bytes:
    """Return a model of 28 × 28 pixels that asks a tensor for its shape, as flattening does: its input, or the next."""
    kinds = schema.BuiltinOperator
    tensors = [
        *(_tensor("image", [1, 28, 28, 1], FLOAT, 0), _tensor("weights", [2, 784], FLOAT, 1)),
        *(_tensor("squashed", [1, 28, 28, 1], FLOAT, 0), _tensor("shape", [4], schema.TensorType.INT32, 0)),
        *(_tensor("shaped", [1, 28, 28, 1], FLOAT, 0), _tensor("y", [1, 2], FLOAT, 0)),
    ]
    operators = [
        (kinds.LOGISTIC, [0], [2]),
        (kinds.SHAPE, [0 if at_once else 2], [3]),
        (kinds.RESHAPE, [2, 3], [4]),
        (kinds.FULLY_CONNECTED, [4, 1, -1], [5]),
    ]
    values = np.linspace(-1, 1, 2 * 784, dtype=np.float32)
    return written(_model(tensors, operators, [b"", values.tobytes()]))


def written(model: Any) -> bytes:
    """Return tables as a file."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def custom(name: str) -> Callable[[Any], None]:
    """Make the first operator a custom one."""

    def change(model: Any) -> None:
        code = model.operatorCodes[0]
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
        code.customCode = name

    return change


def weights(values: Any) -> Callable[[Any], None]:
    """Put other values into the layer."""

    def change(model: Any) -> None:
        model.buffers[1].data = list(np.asarray(values, np.float32).tobytes())

    return change


def _model(tensors: list[Any], operators: list[tuple[int, list[int], list[int]]], buffers: list[bytes]) -> Any:
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.subgraphs = 3, [graph]
    model.operatorCodes, graph.operators = [], []
    for number, (kind, inputs, outputs) in enumerate(operators):
        code, operator = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode = code.deprecatedBuiltinCode = kind
        code.version = 1
        model.operatorCodes.append(code)
        operator.opcodeIndex, operator.inputs, operator.outputs = number, inputs, outputs
        operator.builtinOptionsType, operator.builtinOptions = _OPTIONS.get(kind, lambda: (0, None))()
        graph.operators.append(operator)
    graph.tensors, graph.inputs, graph.outputs = tensors, [0], [len(tensors) - 1]
    model.buffers = []
    for content in buffers:
        buffer = schema.BufferT()
        buffer.data = list(content) or None
        model.buffers.append(buffer)
    return model


def _tensor(name: str, shape: list[int], kind: int, buffer: int) -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name, shape, kind, buffer
    return tensor


def _shape_options() -> Any:
    options = schema.ShapeOptionsT()
    options.outType = schema.TensorType.INT32
    return options


_OPTIONS = {
    schema.BuiltinOperator.ADD: lambda: (schema.BuiltinOptions.AddOptions, schema.AddOptionsT()),
    schema.BuiltinOperator.FULLY_CONNECTED: lambda: (
        schema.BuiltinOptions.FullyConnectedOptions,
        schema.FullyConnectedOptionsT(),
    ),
    schema.BuiltinOperator.SHAPE: lambda: (schema.BuiltinOptions.ShapeOptions, _shape_options()),
}
