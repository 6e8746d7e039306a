"""What the operators of ONNX calculate (github.com/onnx/onnx/blob/main/docs/Operators.md)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from workbench.evaluate.graphs.base import Operation
from workbench.evaluate.graphs.kinds import rounded
from workbench.evaluate.graphs.onnx_layers import added, conv, matmul, padding_of
from workbench.evaluate.graphs.onnx_node import weight_of
from workbench.evaluate.graphs.onnx_recurrent import recurrent

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.evaluate.graphs.onnx_node import OnnxNode

_SIMPLE = {
    "Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Erf": "erf", "Softplus": "softplus", "Softsign": "softsign",
    "Selu": "selu", "Gelu": "gelu", "HardSwish": "hard_swish", "Mish": "mish", "Exp": "exp", "Log": "log", "Neg": "neg",
    "Abs": "abs", "Sqrt": "sqrt", "Reciprocal": "reciprocal", "Pow": "power", "Add": "add", "Sum": "add",
    "Sub": "subtract", "Mul": "multiply", "Div": "divide", "Max": "maximum", "Min": "minimum", "Mean": "average",
    "Concat": "concat", "Split": "split", "Slice": "slice", "Gather": "gather", "Shape": "shape", "Cast": "cast",
    "Identity": "identity", "Dropout": "dropout", "Transpose": "transpose", "Reshape": "reshape", "Flatten": "reshape",
    "Squeeze": "reshape", "Unsqueeze": "reshape", "Expand": "expand", "Tile": "expand", "Pad": "pad",
    "GlobalAveragePool": "global_average_pool", "GlobalMaxPool": "global_max_pool", "ReduceMax": "reduce_max",
    "ReduceSum": "reduce_sum", "Resize": "resize", "Upsample": "resize", "Where": "where", "Einsum": "matmul",
    "InstanceNormalization": "instance_norm", "GroupNormalization": "group_norm", "Attention": "attention",
    "MultiHeadAttention": "attention", "SpaceToDepth": "space_to_depth", "DepthToSpace": "depth_to_space",
    "ArgMax": "arg_max", "Loop": "loop", "If": "branch", "Scan": "loop",
}  # fmt: skip
_WINDOW = 4  # axes of an image tensor


def operations(node: OnnxNode) -> tuple[Operation, ...]:
    """Say what a node calculates; an operator that is not known is one of kind `other`."""
    known = _BUILDERS.get(node.operator)
    if known is not None:
        return known(node)
    return (Operation(_SIMPLE.get(node.operator, "other")),)


def _norm(kind: str, roles: tuple[str, ...]) -> Callable[[OnnxNode], tuple[Operation, ...]]:
    def build(node: OnnxNode) -> tuple[Operation, ...]:
        weights = [weight for index, role in enumerate(roles, 1) for weight in weight_of(node.constant(index), role)]
        return (Operation(kind, {"epsilon": rounded(node.attribute("epsilon", 1e-5))}, tuple(weights)),)

    return build


def _pool(kind: str) -> Callable[[OnnxNode], tuple[Operation, ...]]:
    def build(node: OnnxNode) -> tuple[Operation, ...]:
        window = tuple(node.attribute("kernel_shape", ()))
        strides = tuple(node.attribute("strides", None) or (1,) * len(window))
        dilations = tuple(node.attribute("dilations", None) or (1,) * len(window))
        padding = padding_of(node, list(window), strides, dilations)
        return (Operation(kind, {"window": window, "strides": strides, "padding": padding}),)

    return build


def _mean(node: OnnxNode) -> tuple[Operation, ...]:
    axes = node.attribute("axes", None) or node.numbers(1)
    shape = node.shape(node.inputs[0])
    if axes and shape is not None and len(shape) == _WINDOW:
        places = {int(axis) % _WINDOW for axis in axes}
        if places in ({1, 2}, {2, 3}):
            return (Operation("global_average_pool"),)
    return (Operation("reduce_mean", {"axes": tuple(sorted(int(axis) for axis in axes or ()))}),)


def _softmax(kind: str) -> Callable[[OnnxNode], tuple[Operation, ...]]:
    def build(node: OnnxNode) -> tuple[Operation, ...]:
        axis, shape = int(node.attribute("axis", -1)), node.shape(node.inputs[0])
        return (Operation(kind, {"axis": axis - len(shape) if shape is not None and axis >= 0 else axis}),)

    return build


def _clip(node: OnnxNode) -> tuple[Operation, ...]:
    low, high = (_limit(node, name, index) for index, name in enumerate(("min", "max"), 1))
    if low == 0 and high is None:
        return (Operation("relu"),)
    if (low, high) == (0, 6):
        return (Operation("relu6"),)
    return (Operation("clip", {"low": low, "high": high}),)


def _limit(node: OnnxNode, name: str, index: int) -> float | None:
    value = node.attribute(name, None)
    if value is None:
        value = (node.numbers(index) or [None])[0]
    # Exporters write the largest float for no limit.
    return None if value is None or not math.isfinite(value) or abs(value) >= np.finfo(np.float32).max else value


def _slope(kind: str, *names: str) -> Callable[[OnnxNode], tuple[Operation, ...]]:
    def build(node: OnnxNode) -> tuple[Operation, ...]:
        return (Operation(kind, {name: rounded(node.attribute(name, 0.0)) for name in names}),)

    return build


def _prelu(node: OnnxNode) -> tuple[Operation, ...]:
    return (Operation("prelu", {}, weight_of(node.constant(1), "alpha", np.ravel)),)


def _gather(node: OnnxNode) -> tuple[Operation, ...]:
    table = node.constants.get(node.inputs[0])
    if table is None or table.values.dtype.kind != "f" or table.values.ndim < 2:  # noqa: PLR2004 - a table
        return (Operation("gather"),)
    return (Operation("embedding", {}, weight_of(node.constant(0), "kernel")),)


def _quantize(kind: str) -> Callable[[OnnxNode], tuple[Operation, ...]]:
    def build(node: OnnxNode) -> tuple[Operation, ...]:
        constant = node.constants.get(node.inputs[0]) is not None
        scale, zero = node.numbers(1), node.numbers(2)
        if constant:  # told by whoever calculates with it
            node.constant(0)
            return (Operation(kind, {"of": "weights"}),)
        if scale is None or len(scale) != 1:
            return (Operation(kind),)
        attributes = {"scale": rounded(scale[0]), "zero": int(zero[0]) if zero else 0}
        point = node.constant(2)
        if point is not None and point.values.dtype.kind in "iu":
            attributes["least"] = int(np.iinfo(point.values.dtype).min)
        return (Operation(kind, attributes),)

    return build


_BUILDERS: dict[str, Callable[[OnnxNode], tuple[Operation, ...]]] = {
    "Conv": conv, "ConvTranspose": conv, "ConvInteger": conv, "QLinearConv": conv, "Gemm": matmul, "MatMul": matmul,
    "MatMulInteger": matmul, "QLinearMatMul": matmul, "QGemm": matmul, "Add": added,
    "Clip": _clip, "PRelu": _prelu, "Gather": _gather, "ReduceMean": _mean,
    "BatchNormalization": _norm("batch_norm", ("gamma", "beta", "mean", "variance")),
    "LayerNormalization": _norm("layer_norm", ("gamma", "beta")),
    "RMSNormalization": _norm("rms_norm", ("gamma",)),
    "MaxPool": _pool("max_pool"), "AveragePool": _pool("average_pool"),
    "Softmax": _softmax("softmax"), "LogSoftmax": _softmax("log_softmax"),
    "LeakyRelu": _slope("leaky_relu", "alpha"), "Elu": _slope("elu", "alpha"),
    "HardSigmoid": _slope("hard_sigmoid", "alpha", "beta"),
    "QuantizeLinear": _quantize("quantize"), "DequantizeLinear": _quantize("dequantize"),
    "DynamicQuantizeLinear": _quantize("quantize"),
    "LSTM": recurrent, "GRU": recurrent, "RNN": recurrent,
}  # fmt: skip
