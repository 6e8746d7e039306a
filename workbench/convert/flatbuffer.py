"""What can be read from a TFLite flatbuffer about its operators, kernels and biases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# Output channels lie along this axis of a kernel.
_CHANNEL_AXES = {"CONV_2D": 0, "FULLY_CONNECTED": 0, "DEPTHWISE_CONV_2D": 3}
_EMPTY = 1e-6
_KERNEL, _BIAS = 1, 2
# They turn floats into integers and back, or read no value at all.
_NOT_CALCULATING = ("QUANTIZE", "DEQUANTIZE", "SHAPE")


def float_operators(content: bytes) -> list[str]:
    """Return the kinds of operators that calculate with float32, in the file's order."""
    from ai_edge_litert import schema_py_generated as schema

    return [
        kind
        for kind, operator, graph in _operators(content)
        if kind not in _NOT_CALCULATING
        and any(
            graph.tensors[index].type == schema.TensorType.FLOAT32
            for index in (*operator.inputs, *operator.outputs)
            if index >= 0
        )
    ]


def operators(content: bytes) -> tuple[str, ...]:
    """Return the kinds of operators of all its graphs, each once, in the file's order."""
    return tuple(dict.fromkeys(kind for kind, _, _ in _operators(content)))


def signed(content: bytes) -> bytes:
    """Return a model with a signature: old files have none, and the quantizer asks for one.

    Inputs and outputs are called what their tensors are called.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    if model.signatureDefs:
        return content
    main = model.subgraphs[0]
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = b"serving_default", 0
    signature.inputs, signature.outputs = (
        [_mapped(index, main.tensors[index].name) for index in indices] for indices in (main.inputs, main.outputs)
    )
    model.signatureDefs = [signature]
    return _written(model, len(content))


def without_widened_shapes(content: bytes) -> bytes:
    """Return a model that asks integers for their shape, and not a float32 copy that is made for nothing else.

    The quantizer does not know SHAPE, which TensorFlow's converter writes for every layer that flattens.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    kinds = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    widens, asks = schema.BuiltinOperator.DEQUANTIZE, schema.BuiltinOperator.SHAPE
    changed = False
    for graph in model.subgraphs:
        widening = {each.outputs[0]: each for each in graph.operators if kinds[each.opcodeIndex] == widens}
        copies = set()
        for operator in graph.operators:
            if kinds[operator.opcodeIndex] == asks and (copy := operator.inputs[0]) in widening:
                operator.inputs = widening[copy].inputs
                copies.add(copy)
        unread = copies.difference(graph.outputs, *(each.inputs for each in graph.operators))
        idle = {id(widening[copy]) for copy in unread}
        graph.operators = [each for each in graph.operators if id(each) not in idle]
        changed = changed or bool(copies)
    return _written(model, len(content)) if changed else content


def _written(model: Any, size: int) -> bytes:
    import flatbuffers  # type: ignore[import-untyped]

    builder = flatbuffers.Builder(size + 1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _mapped(index: int, name: bytes) -> Any:
    from ai_edge_litert import schema_py_generated as schema

    named = schema.TensorMapT()
    named.name, named.tensorIndex = name, index
    return named


def saturated_biases(content: bytes) -> list[str]:
    """Return the names of integer biases that hit the end of 32 bits, so that they are not what they were."""
    from ai_edge_litert import schema_py_generated as schema

    found = []
    for kind, operator, graph in _operators(content):
        if kind not in _CHANNEL_AXES or len(operator.inputs) <= _BIAS or operator.inputs[_BIAS] < 0:
            continue
        tensor = graph.tensors[operator.inputs[_BIAS]]
        dtype = {schema.TensorType.INT32: np.int32, schema.TensorType.INT64: np.int64}.get(tensor.type)
        if dtype is not None and (np.abs(_values(graph, tensor, dtype).astype(np.float64)) >= 2**31 - 1).any():
            found.append(tensor.name.decode())
    return found


def filled_ranges(content: bytes) -> dict[str, dict[str, NDArray[np.float32]]]:
    """Return ranges for the kernels that have channels without weights, such as pruning leaves.

    The weights of such a channel are zero at any scale, but its bias shares the scale and would not fit into 32 bits:
    the channel takes the range of the widest one.

    Args:
        content: A float32 model.

    Returns:
        `min` and `max` by the kernel's name, each of the kernel's axes with one value a channel.
    """
    found = {}
    for kind, operator, graph in _operators(content):
        axis = _CHANNEL_AXES.get(kind)
        if axis is None:
            continue
        tensor = graph.tensors[operator.inputs[_KERNEL]]
        kernel = _values(graph, tensor, np.float32)
        if kernel.size == 0:
            continue
        others = tuple(other for other in range(kernel.ndim) if other != axis)
        largest = np.abs(kernel).max(axis=others, keepdims=True)
        empty = largest < _EMPTY * largest.max()
        if empty.any():
            filled = np.where(empty, largest.max(), largest)
            found[tensor.name.decode()] = {"min": -filled, "max": filled}
    return found


def _operators(content: bytes) -> Iterator[tuple[str, Any, Any]]:
    """Give kind, operator and graph of every operator; a graph's buffers are put at its side."""
    from ai_edge_litert import schema_py_generated as schema

    kinds = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for graph in model.subgraphs:
        graph.buffers = model.buffers
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            yield kinds[max(code.builtinCode, code.deprecatedBuiltinCode)], operator, graph


def _values(graph: Any, tensor: Any, dtype: Any) -> NDArray[Any]:
    """Return a constant tensor's values; none for one that is computed."""
    data = graph.buffers[tensor.buffer].data
    if data is None or len(data) == 0:
        return np.empty(0, dtype)
    return np.frombuffer(bytes(data), dtype).reshape(tuple(tensor.shape))
