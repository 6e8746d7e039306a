"""Initializers and constants of an ONNX graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.evaluate.tensors.base import StoredTensor, TensorReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_LAST = -1
# Where an operator's zero points are: input of the values, input of their zero point, axis of the channels.
_ZERO_POINTS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "ConvInteger": ((0, 2, 0), (1, 3, 0)),
    "QLinearConv": ((0, 2, 0), (3, 5, 0)),
    "MatMulInteger": ((0, 2, _LAST), (1, 3, _LAST)),
    "QLinearMatMul": ((0, 2, _LAST), (3, 5, _LAST)),
    "DynamicQuantizeMatMul": ((1, 3, _LAST),),
    "MatMulIntegerToFloat": ((0, 4, _LAST), (1, 5, _LAST)),
    "QGemm": ((0, 2, _LAST), (3, 5, _LAST)),
}
_DEQUANTIZE_AXIS = 1


class OnnxTensors(TensorReader):
    """Reads `.onnx`; data outside the file is not followed."""

    def read(self, path: Path) -> Iterator[StoredTensor]:
        """Give initializers, then the values of Constant nodes."""
        import onnx
        from onnx import numpy_helper

        graph = onnx.load(path, load_external_data=False).graph
        tensors = {tensor.name: tensor for tensor in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant":
                tensors.update((node.output[0], each.t) for each in node.attribute if each.name == "value")
        places = _zero_points(graph)
        for name, tensor in tensors.items():
            values = numpy_helper.to_array(tensor)
            point, axis = places.get(name, ("", 0))
            zero = _along(numpy_helper.to_array(tensors[point]), values.ndim, axis) if point in tensors else 0
            yield StoredTensor(name, values, zero)


def _zero_points(graph: Any) -> dict[str, tuple[str, int]]:
    """Return the tensor of the zero point and the axis of its channels by the tensor that it belongs to."""
    found = {}
    for node in graph.node:
        known = _ZERO_POINTS.get(node.op_type, ())
        if node.op_type == "DequantizeLinear":
            axis = next((int(each.i) for each in node.attribute if each.name == "axis"), _DEQUANTIZE_AXIS)
            known = ((0, 2, axis),)
        for values, point, axis in known:
            if point < len(node.input) and node.input[point]:
                found[node.input[values]] = node.input[point], axis
    return found


def _along(points: NDArray[Any], axes: int, axis: int) -> NDArray[np.int64] | int:
    """Return zero points shaped so that they broadcast."""
    if points.size == 1:
        return int(points.reshape(-1)[0])
    if points.ndim > 1:  # of blocks of channels, which no quantizer here writes
        return 0
    shape = [1] * axes
    shape[axis] = points.size
    return points.astype(np.int64).reshape(shape)
