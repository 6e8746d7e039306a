"""What a TFLite model asks of TensorFlow Lite for Microcontrollers: operators to register, memory, tensors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.convert.flatbuffer import operators

if TYPE_CHECKING:
    from collections.abc import Iterable

# Operators that `MicroMutableOpResolver` of tflite-micro has a method for.
_SUPPORTED = (
    "ABS", "ADD", "ADD_N", "ARG_MAX", "ARG_MIN", "ASSIGN_VARIABLE", "AVERAGE_POOL_2D", "BATCH_MATMUL",
    "BATCH_TO_SPACE_ND", "BROADCAST_ARGS", "BROADCAST_TO", "CALL_ONCE", "CAST", "CEIL", "CONCATENATION", "CONV_2D",
    "COS", "CUMSUM", "DEPTH_TO_SPACE", "DEPTHWISE_CONV_2D", "DEQUANTIZE", "DIV", "ELU", "EMBEDDING_LOOKUP", "EQUAL",
    "EXP", "EXPAND_DIMS", "FILL", "FLOOR", "FLOOR_DIV", "FLOOR_MOD", "FULLY_CONNECTED", "GATHER", "GATHER_ND",
    "GREATER", "GREATER_EQUAL", "HARD_SWISH", "IF", "L2_NORMALIZATION", "L2_POOL_2D", "LEAKY_RELU", "LESS",
    "LESS_EQUAL", "LOG", "LOGICAL_AND", "LOGICAL_NOT", "LOGICAL_OR", "LOGISTIC", "LOG_SOFTMAX", "MAXIMUM",
    "MAX_POOL_2D", "MEAN", "MINIMUM", "MIRROR_PAD", "MUL", "NEG", "NOT_EQUAL", "PACK", "PAD", "PADV2", "PRELU",
    "QUANTIZE", "READ_VARIABLE", "REDUCE_MAX", "RELU", "RELU6", "RESHAPE", "RESIZE_BILINEAR",
    "RESIZE_NEAREST_NEIGHBOR", "REVERSE_V2", "ROUND", "RSQRT", "SELECT_V2", "SHAPE", "SIN", "SLICE", "SOFTMAX",
    "SPACE_TO_BATCH_ND", "SPACE_TO_DEPTH", "SPLIT", "SPLIT_V", "SQRT", "SQUARE", "SQUARED_DIFFERENCE", "SQUEEZE",
    "STRIDED_SLICE", "SUB", "SUM", "SVDF", "TANH", "TRANSPOSE", "TRANSPOSE_CONV", "UNIDIRECTIONAL_SEQUENCE_LSTM",
    "UNPACK", "VAR_HANDLE", "WHILE", "ZEROS_LIKE",
)  # fmt: skip
_METHODS = {
    "BATCH_MATMUL": "AddBatchMatMul", "CUMSUM": "AddCumSum", "PADV2": "AddPadV2",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "AddUnidirectionalSequenceLSTM",
}  # fmt: skip
_ALIGNMENT = 16
# Beside activations the arena holds what kernels keep: some bytes a tensor, an operator, and the interpreter's own.
_A_TENSOR, _AN_OPERATOR, _ALWAYS, _STEP = 48, 256, 2048, 1024


@dataclass(frozen=True)
class MicroTensor:
    """An input or output as a microcontroller's code sees it.

    Attributes:
        name: In the file.
        dtype: `float32`, `int8`, …
        shape: One sample a call.
        scale: Real value of one step; 0 where the tensor holds real values.
        zero_point: Stored value that means 0.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: float
    zero_point: int


@dataclass(frozen=True)
class MicroFacts:
    """What the example and its comment say.

    Attributes:
        methods: To call on the resolver, one for each kind of operator.
        missing: Kinds of operators that TensorFlow Lite for Microcontrollers has not.
        inputs: What goes in.
        outputs: What comes out.
        arena: Bytes to begin with.
    """

    methods: tuple[str, ...]
    missing: tuple[str, ...]
    inputs: tuple[MicroTensor, ...]
    outputs: tuple[MicroTensor, ...]
    arena: int


def micro_facts(content: bytes) -> MicroFacts:
    """Read what a model asks for; the arena is an estimate from the lifetimes of its activations."""
    from ai_edge_litert import schema_py_generated as schema

    types = {value: name.lower() for name, value in vars(schema.TensorType).items() if not name.startswith("_")}
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    main = model.subgraphs[0]
    kinds = operators(content)
    return MicroFacts(
        methods=tuple(sorted(method_of(kind) for kind in kinds if kind in _SUPPORTED)),
        missing=tuple(kind for kind in kinds if kind not in _SUPPORTED),
        inputs=tuple(_tensor(main.tensors[index], types) for index in main.inputs),
        outputs=tuple(_tensor(main.tensors[index], types) for index in main.outputs),
        arena=_arena(model, types),
    )


def method_of(kind: str) -> str:
    """Return the resolver's method that registers a kind of operator, e.g. `AddConv2D` for `CONV_2D`."""
    plain = "".join(part.capitalize() for part in kind.split("_")).replace("2d", "2D")
    return _METHODS.get(kind, f"Add{plain}")


def _tensor(tensor: Any, types: dict[int, str]) -> MicroTensor:
    affine = tensor.quantization
    scaled = affine is not None and affine.scale is not None and len(affine.scale)
    return MicroTensor(
        name=tensor.name.decode(errors="replace"),
        dtype=types[tensor.type],
        shape=tuple(int(axis) for axis in tensor.shape),
        scale=float(affine.scale[0]) if scaled else 0.0,
        zero_point=int(affine.zeroPoint[0]) if scaled else 0,
    )


def _arena(model: Any, types: dict[int, str]) -> int:
    """Return the largest sum of activations that live at the same time in any graph, and what comes on top."""
    bytes_needed = sum(_peak(graph, model.buffers, types) for graph in model.subgraphs)
    bytes_needed += _A_TENSOR * sum(len(graph.tensors) for graph in model.subgraphs)
    bytes_needed += _AN_OPERATOR * sum(len(graph.operators) for graph in model.subgraphs) + _ALWAYS
    return _STEP * math.ceil(bytes_needed / _STEP)


def _peak(graph: Any, buffers: Any, types: dict[int, str]) -> int:
    first: dict[int, int] = dict.fromkeys(map(int, graph.inputs), 0)
    last: dict[int, int] = dict.fromkeys(map(int, graph.outputs), len(graph.operators))
    for step, operator in enumerate(graph.operators):
        for index in _used(operator.outputs):
            first.setdefault(index, step)
        for index in _used(operator.inputs):
            last[index] = max(step, last.get(index, 0))
    sizes = {
        index: _ALIGNMENT * math.ceil(_bytes(graph.tensors[index], types) / _ALIGNMENT)
        for index in first
        if not _constant(graph.tensors[index], buffers)
    }
    steps = range(len(graph.operators) + 1)
    return max(
        sum(size for index, size in sizes.items() if first[index] <= step <= last.get(index, step)) for step in steps
    )


def _used(indices: Iterable[int] | None) -> list[int]:
    return [int(index) for index in (indices if indices is not None else ()) if index >= 0]


def _constant(tensor: Any, buffers: Any) -> bool:
    data = buffers[tensor.buffer].data
    return data is not None and len(data) > 0


def _bytes(tensor: Any, types: dict[int, str]) -> int:
    digits = "".join(sign for sign in types[tensor.type] if sign.isdigit())
    elements = math.prod(abs(int(axis)) for axis in tensor.shape) if tensor.shape is not None else 1
    return elements * (int(digits) // 8 if digits else 1)
