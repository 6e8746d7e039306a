"""Constant buffers of a TFLite flatbuffer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.evaluate.tensors.base import StoredTensor, TensorReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


class TfliteTensors(TensorReader):
    """Reads `.tflite`; a buffer that several tensors share is given once."""

    def read(self, path: Path) -> Iterator[StoredTensor]:
        """Give the constant tensors of all subgraphs."""
        from ai_edge_litert import schema_py_generated as schema

        model = schema.Model.GetRootAs(self._flatbuffer(path), 0)
        dtypes = _dtypes(schema.TensorType)
        seen = set()
        for number in range(model.SubgraphsLength()):
            graph = model.Subgraphs(number)
            for index in range(graph.TensorsLength()):
                tensor = graph.Tensors(index)
                data = model.Buffers(tensor.Buffer()).DataAsNumpy()
                four_bits = tensor.Type() == schema.TensorType.INT4
                # A buffer without data belongs to a tensor that is computed; flatbuffers then gives 0.
                if tensor.Buffer() in seen or isinstance(data, int) or not (four_bits or tensor.Type() in dtypes):
                    continue
                seen.add(tensor.Buffer())
                stored = _nibbles(data, _shape(tensor)) if four_bits else data.view(dtypes[tensor.Type()])
                values = stored.reshape(_shape(tensor))
                yield StoredTensor(tensor.Name().decode(), values, _zero(tensor, values.ndim))

    @staticmethod
    def _flatbuffer(path: Path) -> bytes:
        return path.read_bytes()


def _dtypes(types: Any) -> dict[int, type[np.generic]]:
    return {
        types.FLOAT32: np.float32, types.FLOAT16: np.float16, types.INT8: np.int8, types.UINT8: np.uint8,
        types.INT16: np.int16, types.INT32: np.int32, types.INT64: np.int64, types.BOOL: np.bool_,
    }  # fmt: skip


def _nibbles(data: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.int8]:
    """Return values of four bits as int8: two a byte, the lower half first, each with a sign."""
    halves = np.stack([data << 4, data & 0xF0], axis=1).astype(np.uint8).view(np.int8) >> 4
    return np.asarray(halves.reshape(-1)[: math.prod(shape)], np.int8)


def _shape(tensor: Any) -> tuple[int, ...]:
    return tuple(int(axis) for axis in tensor.ShapeAsNumpy()) if tensor.ShapeLength() else ()


def _zero(tensor: Any, axes: int) -> NDArray[np.int64] | int:
    """Return the zero point, one a channel shaped so that it broadcasts."""
    quantization = tensor.Quantization()
    if quantization is None or not quantization.ZeroPointLength():
        return 0
    points = np.asarray(quantization.ZeroPointAsNumpy(), np.int64)
    if len(points) == 1:
        return int(points[0])
    shape = [1] * axes
    shape[quantization.QuantizedDimension()] = len(points)
    return points.reshape(shape)
