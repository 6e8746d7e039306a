"""Layers with a kernel in ONNX: convolutions and matrix products, as floats and in each way of quantising them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.evaluate.graphs.base import Operation
from workbench.evaluate.graphs.kinds import same_padding, spatial
from workbench.evaluate.graphs.onnx_node import weight_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.evaluate.graphs.onnx_constants import Constant
    from workbench.evaluate.graphs.onnx_node import OnnxNode

_BETWEEN = ("Reshape", "Squeeze", "Unsqueeze", "Transpose", "Cast", "Mul")
_LAYERS = ("Conv", "ConvTranspose", "Gemm", "MatMul", "ConvInteger", "MatMulInteger", "QLinearConv", "QLinearMatMul")
_MATRIX = 2


def conv(node: OnnxNode) -> tuple[Operation, ...]:
    """Read Conv, ConvTranspose, ConvInteger or QLinearConv."""
    if node.operator == "ConvInteger":
        return _convolution(node, _integers(node), None, "conv")
    if node.operator == "QLinearConv":
        return _convolution(node, _scaled(node, 0), _scaled_bias(node, 8), "conv")
    kind = "conv_transpose" if node.operator == "ConvTranspose" else "conv"
    return _convolution(node, node.constant(1), node.constant(2), kind)


def matmul(node: OnnxNode) -> tuple[Operation, ...]:
    """Read MatMul, Gemm, MatMulInteger, QLinearMatMul or QGemm: a dense layer where the second matrix is constant."""
    kernel = _matrix(node)
    turned = bool(node.attribute("transB", 0)) if "Gemm" in node.operator else False
    if kernel is None or kernel.values.ndim != _MATRIX:  # a batch of matrices is no layer's kernel
        return (Operation("matmul", {}, weight_of(kernel, "value")),)
    bias = node.constant(2) if node.operator == "Gemm" else _scaled_bias(node, 6) if node.operator == "QGemm" else None
    return (Operation("dense", {}, weight_of(kernel, "kernel", None if turned else np.transpose)), *_bias(bias))


def added(node: OnnxNode) -> tuple[Operation, ...]:
    """Read Add: what is added to a layer's result, one number a channel, is its bias."""
    for index in (1, 0):
        found = node.constants.get(node.inputs[index])
        if found is None or found.values.dtype.kind != "f":
            continue
        kernel = _kernel_behind(node, node.inputs[1 - index])
        if kernel is not None and found.values.size in kernel.values.shape:
            return _bias(node.constant(index))
    return (Operation("add"),)


def padding_of(node: OnnxNode, window: list[int], strides: tuple[int, ...], dilations: tuple[int, ...]) -> Any:
    """Return the zeros around as one number for each side of each axis."""
    auto = node.attribute("auto_pad", b"NOTSET")
    auto = auto.decode() if isinstance(auto, bytes) else auto
    pads = tuple(node.attribute("pads", None) or (0,) * (2 * len(window)))
    if auto == "SAME_UPPER":
        sizes = spatial(node.shape(node.inputs[0]), len(window), channels_first=True)
        return same_padding(sizes, window, strides, dilations)
    return "same_lower" if auto == "SAME_LOWER" else pads


def _convolution(node: OnnxNode, kernel: Constant | None, bias: Constant | None, kind: str) -> tuple[Operation, ...]:
    groups = int(node.attribute("group", 1))
    window = list(node.attribute("kernel_shape", None) or (kernel.values.shape[2:] if kernel is not None else ()))
    rank = len(window) or 2
    strides = tuple(node.attribute("strides", None) or (1,) * rank)
    dilations = tuple(node.attribute("dilations", None) or (1,) * rank)
    attributes: dict[str, Any] = {"strides": strides, "dilations": dilations}
    attributes["padding"] = padding_of(node, window, strides, dilations)
    transposed = kind.endswith("transpose")
    if not transposed and groups > 1 and kernel is not None and kernel.values.shape[1] == 1:
        kind = f"depthwise_{kind}"
    elif groups > 1:
        attributes["groups"] = groups
    change = (lambda values: values.swapaxes(0, 1)) if transposed and groups == 1 else None
    found = Operation(kind.replace("conv", f"conv{rank}d"), attributes, weight_of(kernel, "kernel", change))
    return (found, *_bias(bias))


def _bias(constant: Constant | None) -> tuple[Operation, ...]:
    return () if constant is None else (Operation("bias", {}, weight_of(constant, "bias", np.ravel)),)


def _matrix(node: OnnxNode) -> Constant | None:
    if node.operator == "MatMulInteger":
        return _integers(node)
    return _scaled(node, 1) if node.operator in ("QLinearMatMul", "QGemm") else node.constant(1)


def _scaled(node: OnnxNode, axis: int) -> Constant | None:
    """Return the kernel of an operator on integers, with the scale and zero point that are the next two inputs."""
    kernel, scale, zero = (node.constant(index) for index in (3, 4, 5))
    if kernel is None or scale is None:
        return kernel
    axes = kernel.values.ndim
    return kernel.scaled(_along(scale.values, axis, axes), 0 if zero is None else _along(zero.values, axis, axes))


def _scaled_bias(node: OnnxNode, index: int) -> Constant | None:
    """Return the bias of an operator on integers, whose scale is that of the input times that of the kernel."""
    bias, given, kernel = (node.constant(each) for each in (index, 1, 4))
    return bias if bias is None or given is None or kernel is None else bias.scaled(given.values * kernel.values)


def _integers(node: OnnxNode) -> Constant | None:
    """Return the kernel of a dynamically quantised layer, whose scale is multiplied in behind it."""
    kernel, zero, scale = node.constant(1), node.constant(3), _scale_behind(node, node.outputs[0])
    if kernel is None or scale is None:
        return kernel
    axes = kernel.values.ndim
    axis = 0 if node.operator == "ConvInteger" else axes - 1
    return kernel.scaled(_along(scale.values, axis, axes), 0 if zero is None else _along(zero.values, axis, axes))


def _along(values: NDArray[Any], axis: int, axes: int) -> NDArray[Any]:
    return values.reshape([-1 if place == axis else 1 for place in range(axes)] if values.size > 1 else [])


def _scale_behind(node: OnnxNode, tensor: str) -> Constant | None:
    for taker in node.takers(tensor):
        if taker.op_type == "Cast":
            return _scale_behind(node, taker.output[0])
        if taker.op_type == "Mul":
            for name in taker.input:
                maker = node.maker(name)
                scales = [name] if maker is None or maker.op_type != "Mul" else list(maker.input)
                found = next(filter(None, map(node.constants.get, scales)), None)
                if found is not None:
                    return found
    return None


def _kernel_behind(node: OnnxNode, tensor: str) -> Constant | None:
    """Return the kernel of the layer whose result a tensor is, perhaps moved or scaled."""
    for _ in range(len(_BETWEEN)):
        maker = node.maker(tensor)
        if maker is None or maker.op_type not in (*_LAYERS, *_BETWEEN):
            return None
        if maker.op_type in _LAYERS:
            return node.constants.get(maker.input[3 if maker.op_type.startswith("QLinear") else 1])
        tensor = maker.input[0]
    return None
