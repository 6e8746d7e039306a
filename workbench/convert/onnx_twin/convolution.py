"""Convolutions, depthwise ones among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.convert.onnx_twin.layers import Layers, name_of
from workbench.convert.onnx_twin.steps import vector
from workbench.convert.onnx_twin.windows import Windowed, windowed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.convert.onnx_twin.graph import Graph, Node
    from workbench.convert.onnx_twin.steps import Step
    from workbench.convert.onnx_twin.value import Value

_BIAS = 2


def convolution(step: Step, value: Value, graph: Graph, layers: Layers) -> Value:
    """Translate `Conv` with its bias and activation; kernels are (out, in, …) in ONNX and (…, in, out) in Keras."""
    node = step.node
    kernel = graph.constants.get(node.inputs[1])
    if kernel is None:
        raise node.no_twin("its kernel is not a constant")
    given = windowed(value, node, kernel.shape[2:], layers)
    tensor, padding = given.padded(node, layers, same=True, zeros=True)
    bias = _bias(step, kernel, graph)
    config = {
        "kernel_size": [axis.window for axis in given.axes],
        "strides": [axis.stride for axis in given.axes],
        "dilation_rate": [axis.dilation for axis in given.axes],
        "padding": padding, "use_bias": bias is not None, "activation": step.activation,
    }  # fmt: skip
    kind, turned, more = _kind(given, kernel, node)
    name = name_of(node, node.inputs[1])
    return given.like(layers.add(kind + given.suffix, tensor, name, [turned, bias], **config, **more))


def _kind(given: Windowed, kernel: NDArray[Any], node: Node) -> tuple[str, NDArray[Any], dict[str, Any]]:
    """Return Keras' name of the layer, the kernel as it wants it, and what else it must be told."""
    groups, inputs = node.attributes.get("group", 1), given.tensor.shape[-1]
    used = [axis.number for axis in given.axes]
    kernel = kernel.squeeze(tuple(axis for axis in range(2, kernel.ndim) if axis not in used))
    spatial = tuple(range(2, kernel.ndim))
    if groups == 1:
        return "Conv", kernel.transpose(*spatial, 1, 0), {"filters": len(kernel)}
    if groups != inputs or kernel.shape[1] != 1:
        raise node.no_twin(f"it has {groups} groups, where Keras' layers have one, or one for each channel")
    strides = {axis.stride for axis in given.axes}
    if len(strides) > 1:
        raise node.no_twin("a depthwise layer of Keras has the same stride along both axes")
    each = len(kernel) // groups
    grouped = kernel.reshape(groups, each, *kernel.shape[2:])
    return "DepthwiseConv", grouped.transpose(*spatial, 0, 1), {"depth_multiplier": each}


def _bias(step: Step, kernel: NDArray[Any], graph: Graph) -> NDArray[np.float32] | None:
    if step.bias is not None:
        return vector(step.bias, len(kernel))
    if len(step.node.inputs) <= _BIAS or not step.node.inputs[_BIAS]:
        return None
    bias = graph.constants.get(step.node.inputs[_BIAS])
    if bias is None:
        raise step.node.no_twin("its bias is not a constant")
    return vector(bias, len(kernel))
