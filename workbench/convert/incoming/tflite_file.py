"""What a TFLite flatbuffer holds, walked with every length and index checked before LiteRT believes them."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.convert.incoming.values import require_finite
from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IDENTIFIER = b"TFL3"
_MOST_OPERATORS, _MOST_TENSORS, _MOST_GRAPHS, _MOST_AXES = 100_000, 500_000, 1_000, 8
LARGEST = 2 * 2**30 - 1
# What flatbuffers, struct and NumPy raise where an offset or a length leads astray; a table that is not there is None.
_DAMAGE = (struct.error, LookupError, TypeError, ValueError, AttributeError, OverflowError, RuntimeError)
_BITS = {
    "FLOAT32": 32, "FLOAT16": 16, "BFLOAT16": 16, "FLOAT64": 64, "INT8": 8, "UINT8": 8, "INT16": 16, "UINT16": 16,
    "INT32": 32, "UINT32": 32, "INT64": 64, "UINT64": 64, "BOOL": 8, "INT4": 4, "UINT4": 4, "INT2": 2,
    "COMPLEX64": 64, "COMPLEX128": 128, "FLOAT8_E4M3FN": 8, "FLOAT8_E5M2": 8,
}  # fmt: skip
_RANGES: dict[str, type[np.integer[Any]]] = {"INT8": np.int8, "UINT8": np.uint8, "INT16": np.int16, "INT32": np.int32}
_FLOATS = {"FLOAT32": np.float32, "FLOAT16": np.float16, "FLOAT64": np.float64}


@dataclass(frozen=True)
class Tensor:
    """A tensor of a graph; `data` is None where it is computed, `shape` has no free axes."""

    name: str
    kind: str
    shape: tuple[int, ...]
    data: np.ndarray[Any, np.dtype[np.uint8]] | None


@dataclass(frozen=True)
class Operator:
    """A node of a graph; inputs of −1 were left out."""

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Graph:
    """One graph: the first is the model, further ones are branches and loops."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read(path: Path) -> tuple[Graph, ...]:
    """Return the graphs of a file.

    Raises:
        BadInputError: It is damaged or too large, or asks for what the file does not hold.
    """
    content = path.read_bytes()
    if len(content) > LARGEST:
        raise BadInputError.of(str(path), rule="must be smaller than 2 GiB", got=f"{len(content)} bytes")
    try:
        return tuple(_graphs(path, content))
    except _DAMAGE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BadInputError.of(
            str(path), rule="must be a whole TFLite file", got=f"{len(content)} bytes: {reason}",
            hint="it may be truncated; copy or save it again",
        ) from error  # fmt: skip


def _graphs(path: Path, content: bytes) -> Iterator[Graph]:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(content, 0)
    if model.ExternalBuffersLength() or model.ExternalBufferGroupsLength():
        raise BadInputError.of(str(path), rule="must hold its weights itself", got="weights in another file")
    codes = [_operation(path, model.OperatorCodes(at)) for at in _upto(model.OperatorCodesLength(), _MOST_OPERATORS)]
    count = model.SubgraphsLength()
    if not count:
        raise ValueError("it holds no graph")
    operators = tensors = 0
    for number in _upto(count, _MOST_GRAPHS):
        graph = model.Subgraphs(number)
        operators, tensors = operators + graph.OperatorsLength(), tensors + graph.TensorsLength()
        for each, most, name in ((operators, _MOST_OPERATORS, "operators"), (tensors, _MOST_TENSORS, "tensors")):
            if each > most:
                raise BadInputError.of(str(path), rule=f"must have at most {most:,} {name}", got=each)
        held = tuple(_tensor(path, model, graph.Tensors(at), content) for at in range(graph.TensorsLength()))
        yield Graph(
            tensors=held,
            operators=tuple(_operator(graph.Operators(at), codes, len(held)) for at in range(graph.OperatorsLength())),
            inputs=_indices(graph, "Inputs", len(held)),
            outputs=_indices(graph, "Outputs", len(held)),
        )


def _operation(path: Path, code: Any) -> str:
    kind = _names("BuiltinOperator").get(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()))
    if kind is None:
        raise BadInputError.of(
            str(path), rule="must have operations that this LiteRT knows", got=f"number {code.BuiltinCode()}",
            hint="convert it with an older TensorFlow",
        )  # fmt: skip
    if kind == "CUSTOM":
        name = (code.CustomCode() or b"").decode(errors="replace")
        hint = "a custom operation is code that the file does not hold"
        if name.startswith("Flex"):
            hint = "it is TensorFlow's own: convert the model without SELECT_TF_OPS"
        raise BadInputError.of(str(path), rule="must have operations of LiteRT only", got=name, hint=hint)
    return kind


def _operator(operator: Any, codes: list[str], tensors: int) -> Operator:
    kind = codes[operator.OpcodeIndex()]
    return Operator(kind, _indices(operator, "Inputs", tensors, least=-1), _indices(operator, "Outputs", tensors))


def _indices(table: Any, name: str, tensors: int, least: int = 0) -> tuple[int, ...]:
    values = getattr(table, f"{name}AsNumpy")() if getattr(table, f"{name}Length")() else np.empty(0, np.int32)
    if ((values < least) | (values >= tensors)).any():
        raise ValueError(f"{name.lower()} ask for a tensor that is not there")
    return tuple(values.tolist())


def _tensor(path: Path, model: Any, tensor: Any, content: bytes) -> Tensor:
    kind, name = _names("TensorType")[tensor.Type()], (tensor.Name() or b"").decode(errors="replace")
    shape = tuple(tensor.ShapeAsNumpy().tolist()) if 0 < tensor.ShapeLength() <= _MOST_AXES else ()
    if tensor.ShapeLength() > _MOST_AXES or any(axis < 0 for axis in shape):
        raise ValueError(f"{name} has the shape {shape}")
    bits = math.prod(shape) * _BITS.get(kind, 0)
    if bits > 8 * LARGEST:
        raise BadInputError.of(str(path), rule="must have tensors under 2 GiB", got=f"{name} of shape {shape}")
    data = _data(model, tensor.Buffer(), content)
    if data is not None and kind in _BITS and tensor.Sparsity() is None and len(data) != (bits + 7) // 8:
        raise ValueError(f"{name} of shape {shape} in {len(data)} bytes")
    _require_scales(tensor, name, kind, shape)
    found = Tensor(name, kind, shape, data)
    if data is not None and kind in _FLOATS:
        require_finite(path, name, data.view(_FLOATS[kind]))
    return found


def _data(model: Any, number: int, content: bytes) -> np.ndarray[Any, np.dtype[np.uint8]] | None:
    if not 0 <= number < model.BuffersLength():
        raise ValueError(f"there is no buffer {number}")
    buffer = model.Buffers(number)
    if buffer.Offset() > 1:  # beyond the flatbuffer, where files of more than 2 GiB have their data
        if buffer.Offset() + buffer.Size() > len(content):
            raise ValueError(f"buffer {number} ends behind the file")
        return np.frombuffer(content, np.uint8, buffer.Size(), buffer.Offset())
    return buffer.DataAsNumpy() if buffer.DataLength() else None


def _require_scales(tensor: Any, name: str, kind: str, shape: tuple[int, ...]) -> None:
    quantization = tensor.Quantization()
    count = quantization.ScaleLength() if quantization is not None else 0
    if not count:
        return
    axis = quantization.QuantizedDimension()
    if count > 1 and not (0 <= axis < len(shape) and shape[axis] == count):
        raise ValueError(f"{name} has {count} scales for the shape {shape}")
    if quantization.ZeroPointLength() not in (0, 1, count):
        raise ValueError(f"{name} has {quantization.ZeroPointLength()} zero points for {count} scales")
    scales, points = quantization.ScaleAsNumpy(), quantization.ZeroPointAsNumpy()
    # LiteRT's kernels calculate with these unseen, and die of some.
    if not np.isfinite(scales).all() or (scales < 0).any() or (kind in _RANGES and count == 1 and not scales[0]):
        raise ValueError(f"{name} has scales that no values have")
    if quantization.ZeroPointLength() and kind in _RANGES:
        limits = np.iinfo(_RANGES[kind])
        if ((points < limits.min) | (points > limits.max)).any():
            raise ValueError(f"{name} has a zero point that is no {kind.lower()}")


@cache
def _names(enum: str) -> dict[int, str]:
    from ai_edge_litert import schema_py_generated as schema

    return {value: name for name, value in vars(getattr(schema, enum)).items() if not name.startswith("_")}


def _upto(count: int, most: int) -> range:
    if count > most:
        raise ValueError(f"a list of {count} parts")
    return range(count)
