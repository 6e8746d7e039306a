"""Tensors of a TFLite flatbuffer: constants scaled back, and what a file says of the others."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.evaluate.graphs.base import GraphTensor, Weight
from workbench.evaluate.graphs.kinds import rounded

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_DTYPES = {
    "FLOAT32": "float32", "FLOAT16": "float16", "FLOAT64": "float64", "INT8": "int8", "UINT8": "uint8",
    "INT16": "int16", "UINT16": "uint16", "INT32": "int32", "UINT32": "uint32", "INT64": "int64", "UINT64": "uint64",
    "BOOL": "bool",
}  # fmt: skip
_FOUR_BITS = {"INT4"}


@dataclass(frozen=True, eq=False)
class Constant:
    """A constant tensor: as stored, and the numbers that it stands for."""

    name: str
    stored: NDArray[Any]
    values: NDArray[Any]
    step: NDArray[Any] | None
    bits: int

    def weight(self, role: str, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Weight:
        """Return it as a weight in the common layout."""
        step = None if self.step is None else change(np.broadcast_to(self.step, self.values.shape))
        return Weight(self.name, role, self.stored, change(self.values), step, self.bits)


class Tensors:
    """The tensors of one subgraph, by their index."""

    def __init__(self, graph: Any, buffers: Any, types: dict[int, str], prefix: str = "") -> None:
        self._graph, self._buffers, self._types, self._prefix = graph, buffers, types, prefix
        self._known: dict[int, Constant | None] = {}
        self._made_of: dict[int, int] = {}

    def name(self, index: int) -> str:
        """Return a name that no other tensor of the file has."""
        return f"{self._prefix}{index}"

    def said(self, index: int) -> str:
        """Return what the file calls it."""
        return bytes(self._graph.tensors[index].name or b"").decode(errors="replace")

    def dequantized(self, source: int, target: int) -> None:
        """Note that a tensor is another one as floats."""
        self._made_of[target] = source

    def constant(self, index: int) -> Constant | None:
        """Return a constant tensor; None for one that is calculated, left out, or of a type without numbers."""
        if index not in self._known:
            self._known[index] = self._read(index)
        return self._known[index]

    def described(self, index: int) -> GraphTensor:
        """Return what the file says of a tensor."""
        tensor = self._graph.tensors[index]
        axes = tensor.shape if tensor.shapeSignature is None else tensor.shapeSignature
        kind = self._types.get(tensor.type, "")
        shape = None if axes is None else tuple(None if axis < 0 else int(axis) for axis in axes)
        return GraphTensor(self.said(index), shape, _DTYPES.get(kind, kind.lower()))

    def scale_of(self, index: int) -> dict[str, float]:
        """Return scale and zero point of a quantised tensor that has one of each."""
        step, zero = _scales(self._graph.tensors[index].quantization, 0)
        if step is None or step.size != 1:
            return {}
        return {"output scale": rounded(float(step)), "output zero": int(zero)}

    def _read(self, index: int) -> Constant | None:
        if index in self._made_of:
            return self.constant(self._made_of[index])
        if index < 0:
            return None
        tensor = self._graph.tensors[index]
        data = self._buffers[tensor.buffer].data
        kind = self._types.get(tensor.type, "")
        if data is None or len(data) == 0 or (kind not in _DTYPES and kind not in _FOUR_BITS):
            return None
        shape = tuple(int(axis) for axis in tensor.shape) if tensor.shape is not None else ()
        content = np.frombuffer(bytes(data), np.uint8)
        four = kind in _FOUR_BITS
        stored = (_halves(content, math.prod(shape)) if four else content.view(_DTYPES[kind])).reshape(shape)
        step, zero = _scales(tensor.quantization, stored.ndim)
        values = stored if step is None else (stored.astype(np.float32) - zero.astype(np.float32)) * step
        return Constant(self.said(index), stored, values, step, 4 if four else 8 * stored.dtype.itemsize)


def _halves(data: NDArray[np.uint8], count: int) -> NDArray[np.int8]:
    """Return values of four bits, two a byte, the lower half first, each with a sign."""
    halves = np.stack([data << 4, data & 0xF0], axis=1).astype(np.uint8).view(np.int8) >> 4
    return np.asarray(halves.ravel()[:count], np.int8)


def _scales(quantization: Any, axes: int) -> tuple[NDArray[np.float32] | None, NDArray[np.int64]]:
    nothing = np.zeros((), np.int64)
    if quantization is None or quantization.scale is None or len(quantization.scale) == 0:
        return None, nothing
    scale = np.asarray(quantization.scale, np.float32)
    points = quantization.zeroPoint
    zero = nothing if points is None or len(points) == 0 else np.asarray(points, np.int64)
    if len(scale) == 1:
        return scale.reshape(()), zero.reshape(-1)[0]
    shape = [1] * axes
    if quantization.quantizedDimension < axes:
        shape[quantization.quantizedDimension] = len(scale)
    return scale.reshape(shape), zero.reshape(shape if zero.size > 1 else ())
