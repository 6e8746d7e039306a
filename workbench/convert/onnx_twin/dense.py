"""Matrix products with a constant: dense layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.convert.onnx_twin.layers import Layers, name_of
from workbench.convert.onnx_twin.shapes import plain
from workbench.convert.onnx_twin.steps import vector
from workbench.convert.onnx_twin.value import Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.convert.onnx_twin.graph import Graph
    from workbench.convert.onnx_twin.steps import Step

_MATRIX = 2


def dense(step: Step, value: Value, graph: Graph, layers: Layers) -> Value:
    """Translate `MatMul` and `Gemm` with their bias and activation.

    Flattened features come in the order of channels last, so the kernel's rows do, too.
    """
    node = step.node
    kernel = graph.constants.get(node.inputs[1])
    if kernel is None or kernel.ndim != _MATRIX:
        raise node.no_twin("its second factor is not a constant matrix")
    bias = step.bias
    if node.kind == "Gemm":
        kernel, bias = _of_gemm(step, graph)
    held = sum(axis is not None for axis in value.axes)
    if value.axes[-1] != len(value.tensor.shape) - 1 or held != len(value.tensor.shape):
        value = plain(value, layers)
    if value.folded is not None:
        rows = np.empty_like(kernel)
        rows[value.folded.order] = kernel
        kernel = rows
    units = kernel.shape[1]
    tensor = layers.add(
        "Dense", value.tensor, name_of(node, node.inputs[1]),
        [kernel, None if bias is None else vector(bias, units)],
        units=units, use_bias=bias is not None, activation=step.activation,
    )  # fmt: skip
    return Value(tensor, value.axes)


def _of_gemm(step: Step, graph: Graph) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    node = step.node
    if node.attributes.get("transA", 0):
        raise node.no_twin("its first factor is transposed")
    kernel = graph.constants[node.inputs[1]]
    kernel = (kernel.T if node.attributes.get("transB", 0) else kernel) * np.float32(node.attributes.get("alpha", 1))
    if len(node.inputs) <= _MATRIX or not node.inputs[2]:
        return kernel, None
    added = graph.constants.get(node.inputs[2])
    if added is None or added.size not in (1, kernel.shape[1]) or added.shape[-1:] not in ((), (added.size,)):
        raise node.no_twin("what it adds is not one constant a unit")
    return kernel, added * np.float32(node.attributes.get("beta", 1))
