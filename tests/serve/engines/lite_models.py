"""TFLite models put together without TensorFlow."""

from __future__ import annotations

from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

FLOAT, INT8, INT64 = schema.TensorType.FLOAT32, schema.TensorType.INT8, schema.TensorType.INT64


def tensor(name: str, kind: int = FLOAT, shape: tuple[int, ...] = (-1, 4), scale: float = 0.0, zero: int = 0) -> Any:
    one = schema.TensorT()
    one.name, one.type = name, kind
    one.shape, one.shapeSignature = [abs(size) for size in shape], list(shape)
    if scale:
        one.quantization = schema.QuantizationParametersT()
        one.quantization.scale, one.quantization.zeroPoint = [scale], [zero]
    return one


def operator(code: int, inputs: list[int], outputs: list[int], options: Any = None, kind: int = 0) -> Any:
    one = schema.OperatorT()
    one.opcodeIndex, one.inputs, one.outputs = code, inputs, outputs
    one.builtinOptionsType, one.builtinOptions = kind, options
    return one


def graph(tensors: list[Any], operators: list[Any], inputs: list[int], outputs: list[int]) -> Any:
    one = schema.SubGraphT()
    one.tensors, one.operators, one.inputs, one.outputs = tensors, operators, inputs, outputs
    return one


def signature(key: str, subgraph: int, inputs: dict[str, int], outputs: dict[str, int]) -> Any:
    def maps(names: dict[str, int]) -> list[Any]:
        found = []
        for name, index in names.items():
            one = schema.TensorMapT()
            one.name, one.tensorIndex = name, index
            found.append(one)
        return found

    one = schema.SignatureDefT()
    one.signatureKey, one.subgraphIndex, one.inputs, one.outputs = key, subgraph, maps(inputs), maps(outputs)
    return one


def model(graphs: list[Any], codes: list[int], signatures: list[Any] | None = None) -> bytes:
    one = schema.ModelT()
    one.version, one.subgraphs, one.buffers, one.operatorCodes = 3, graphs, [schema.BufferT()], []
    one.signatureDefs = signatures or []
    for code in codes:
        entry = schema.OperatorCodeT()
        entry.builtinCode = entry.deprecatedBuiltinCode = code
        entry.version = 2 if code == schema.BuiltinOperator.LOGISTIC else 1
        one.operatorCodes.append(entry)
    builder = flatbuffers.Builder(1024)
    builder.Finish(one.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def two_signatures() -> bytes:
    """`serving_default`: left, right -> sum, product; `other`: x -> its sum with itself."""
    add, multiply = schema.AddOptionsT(), schema.MulOptionsT()
    adds = schema.BuiltinOptions.AddOptions
    main = graph(
        [tensor("l"), tensor("r"), tensor("s"), tensor("p")],
        [
            operator(0, [0, 1], [2], add, adds),
            operator(1, [0, 1], [3], multiply, schema.BuiltinOptions.MulOptions),
        ],
        [0, 1],
        [2, 3],
    )
    other = graph([tensor("x"), tensor("y")], [operator(0, [0, 0], [1], add, adds)], [0], [1])
    return model(
        [main, other],
        [schema.BuiltinOperator.ADD, schema.BuiltinOperator.MUL],
        [
            signature("serving_default", 0, {"left": 0, "right": 1}, {"sum": 2, "product": 3}),
            signature("other", 1, {"x": 0}, {"twice": 1}),
        ],
    )


def quantised() -> bytes:
    """An int8 `x` -> int8 `y`, the logistic function; real values are quarters, answers 256ths."""
    one = graph(
        [tensor("x", INT8, scale=0.25), tensor("y", INT8, scale=1 / 256, zero=-128)], [operator(0, [0], [1])], [0], [1]
    )
    return model([one], [schema.BuiltinOperator.LOGISTIC])


def fixed(batch: int) -> bytes:
    """`x` (batch, 4) -> `y`, the softmax of it."""
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    one = graph(
        [tensor("x", shape=(batch, 4)), tensor("y", shape=(batch, 4))],
        [operator(0, [0], [1], options, schema.BuiltinOptions.SoftmaxOptions)],
        [0],
        [1],
    )
    return model([one], [schema.BuiltinOperator.SOFTMAX])
