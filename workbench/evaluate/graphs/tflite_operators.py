"""What the operators of TFLite calculate (tensorflow/compiler/mlir/lite/schema/schema.fbs)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.evaluate.graphs.base import Operation, Weight
from workbench.evaluate.graphs.kinds import rounded, same_padding, spatial

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from workbench.evaluate.graphs.tflite_node import TfliteNode

_SIMPLE = {
    "RELU": "relu", "RELU6": "relu6", "LOGISTIC": "sigmoid", "TANH": "tanh", "GELU": "gelu", "ELU": "elu",
    "HARD_SWISH": "hard_swish", "EXP": "exp", "LOG": "log", "NEG": "neg", "ABS": "abs", "SQRT": "sqrt",
    "POW": "power", "ADD": "add", "ADD_N": "add", "SUB": "subtract", "MUL": "multiply", "DIV": "divide",
    "MAXIMUM": "maximum", "MINIMUM": "minimum", "CONCATENATION": "concat", "SPLIT": "split", "SPLIT_V": "split",
    "SLICE": "slice", "STRIDED_SLICE": "slice", "GATHER": "gather", "SHAPE": "shape", "CAST": "cast",
    "TRANSPOSE": "transpose", "RESHAPE": "reshape", "SQUEEZE": "reshape", "EXPAND_DIMS": "reshape", "PACK": "pack",
    "UNPACK": "split", "BROADCAST_TO": "expand", "TILE": "expand", "FILL": "expand", "PAD": "pad", "PADV2": "pad",
    "MIRROR_PAD": "pad", "REDUCE_MAX": "reduce_max", "SUM": "reduce_sum", "REDUCE_PROD": "reduce_product",
    "RESIZE_BILINEAR": "resize", "RESIZE_NEAREST_NEIGHBOR": "resize", "QUANTIZE": "quantize",
    "DEQUANTIZE": "dequantize", "BATCH_MATMUL": "matmul", "SELECT_V2": "where", "ARG_MAX": "arg_max", "WHILE": "loop",
    "IF": "branch", "SPACE_TO_BATCH_ND": "space_to_batch", "BATCH_TO_SPACE_ND": "batch_to_space",
    "SPACE_TO_DEPTH": "space_to_depth", "DEPTH_TO_SPACE": "depth_to_space", "LOG_SOFTMAX": "log_softmax",
    "RELU_N1_TO_1": "clip", "SQUARED_DIFFERENCE": "squared_difference", "RSQRT": "reciprocal_sqrt",
}  # fmt: skip
_FUSED = {1: "relu", 2: "clip", 3: "relu6", 4: "tanh", 5: "sign"}
_IMAGE = 4
_SPATIAL = 2
_GATES = 4


def operations(node: TfliteNode) -> tuple[Operation, ...]:
    """Say what an operator calculates, with the activation fused into it; an unknown one is of kind `other`."""
    known = _BUILDERS.get(node.operator)
    found = known(node) if known is not None else (Operation(_SIMPLE.get(node.operator, "other")),)
    activation = int(node.option("fusedActivationFunction", 0) or 0)
    return (*found, Operation(_FUSED[activation])) if activation in _FUSED else found


def _same(values: NDArray[Any]) -> NDArray[Any]:
    return values


def _bias(node: TfliteNode, index: int = 2) -> tuple[Operation, ...]:
    constant = node.constant(index)
    return () if constant is None else (Operation("bias", {}, (constant.weight("bias", np.ravel),)),)


def _weights(node: TfliteNode, index: int, change: Callable[[NDArray[Any]], NDArray[Any]]) -> tuple[Weight, ...]:
    constant = node.constant(index)
    return () if constant is None else (constant.weight("kernel", change),)


def _window(node: TfliteNode, source: int, window: tuple[int, ...]) -> dict[str, Any]:
    strides = (int(node.option("strideH", 1)), int(node.option("strideW", 1)))
    dilations = (int(node.option("dilationHFactor", 1)), int(node.option("dilationWFactor", 1)))
    sizes = spatial(node.shape(source), _SPATIAL, channels_first=False)
    same = int(node.option("padding", 1)) == 0
    padding = same_padding(sizes, window, strides, dilations) if same else (0,) * (2 * _SPATIAL)
    return {"strides": strides, "dilations": dilations, "padding": padding}


def _convolution(kind: str, order: tuple[int, ...]) -> Callable[[TfliteNode], tuple[Operation, ...]]:
    def build(node: TfliteNode) -> tuple[Operation, ...]:
        weights = _weights(node, 1, lambda values: values.transpose(order))
        window = tuple(weights[0].values.shape[2:]) if weights else (1, 1)
        node.option("depthMultiplier", None)
        return (Operation(kind, _window(node, 0, window), weights), *_bias(node))

    return build


def _transposed(node: TfliteNode) -> tuple[Operation, ...]:
    weights = _weights(node, 1, lambda values: values.transpose(0, 3, 1, 2))
    attributes = _window(node, 2, tuple(weights[0].values.shape[2:]) if weights else (1, 1))
    # Where its input is padded is where its output is cut, which the other formats tell in other ways.
    attributes.pop("padding")
    return (Operation("conv2d_transpose", attributes, weights), *_bias(node, 3))


def _dense(node: TfliteNode) -> tuple[Operation, ...]:
    weights = _weights(node, 1, _same)
    return (Operation("dense" if weights else "matmul", {}, weights), *_bias(node))


def _pool(kind: str) -> Callable[[TfliteNode], tuple[Operation, ...]]:
    def build(node: TfliteNode) -> tuple[Operation, ...]:
        window = (int(node.option("filterHeight", 1)), int(node.option("filterWidth", 1)))
        attributes = {"window": window, **_window(node, 0, window)}
        attributes.pop("dilations")
        return (Operation(kind, attributes),)

    return build


def _reduction(kind: str, whole: str) -> Callable[[TfliteNode], tuple[Operation, ...]]:
    def build(node: TfliteNode) -> tuple[Operation, ...]:
        axes, shape = node.constant(1), node.shape(0)
        places = () if axes is None else tuple(sorted(int(axis) for axis in axes.values.ravel()))
        if shape is not None and len(shape) == _IMAGE and tuple(each % _IMAGE for each in places) == (1, 2):
            return (Operation(whole),)
        return (Operation(kind, {"axes": places}),)

    return build


def _softmax(node: TfliteNode) -> tuple[Operation, ...]:
    return (Operation("softmax", {"axis": -1, "beta": rounded(node.option("beta", 1.0))}),)


def _leaky(node: TfliteNode) -> tuple[Operation, ...]:
    return (Operation("leaky_relu", {"alpha": rounded(node.option("alpha", 0.0))}),)


def _prelu(node: TfliteNode) -> tuple[Operation, ...]:
    alpha = node.constant(1)
    return (Operation("prelu", {}, () if alpha is None else (alpha.weight("alpha", np.ravel),)),)


def _gather(node: TfliteNode) -> tuple[Operation, ...]:
    table = node.constant(0, floats_only=True)
    return (Operation("gather"),) if table is None else (Operation("embedding", {}, (table.weight("kernel", _same),)),)


def _sum(node: TfliteNode) -> tuple[Operation, ...]:
    """Read an ADD: what is added to a layer's result, one number a channel, is its bias."""
    for index in (1, 0):
        kernel = node.kernel_behind(1 - index)
        found = None if kernel is None else node.constant(index, floats_only=True)
        if kernel is not None and found is not None and found.values.size in kernel.values.shape:
            return _bias(node, index)
    return (Operation("add"),)


def _lstm(node: TfliteNode) -> tuple[Operation, ...]:
    weights = []
    for role, first in (("kernel", 1), ("recurrent_kernel", 5), ("bias", 12)):
        gates = [node.constant(index) for index in range(first, first + _GATES)]
        held = [gate for gate in gates if gate is not None]
        if len(held) == _GATES:
            stored, values = (np.concatenate([getattr(each, part) for each in held]) for part in ("stored", "values"))
            weights.append(Weight(held[0].name, role, stored, values, bits=held[0].bits))
    return (Operation("lstm", {}, tuple(weights)),)


_BUILDERS: dict[str, Callable[[TfliteNode], tuple[Operation, ...]]] = {
    "CONV_2D": _convolution("conv2d", (0, 3, 1, 2)),
    "DEPTHWISE_CONV_2D": _convolution("depthwise_conv2d", (3, 0, 1, 2)),
    "TRANSPOSE_CONV": _transposed, "FULLY_CONNECTED": _dense, "MAX_POOL_2D": _pool("max_pool"),
    "AVERAGE_POOL_2D": _pool("average_pool"), "MEAN": _reduction("reduce_mean", "global_average_pool"),
    "REDUCE_MAX": _reduction("reduce_max", "global_max_pool"), "SOFTMAX": _softmax, "LEAKY_RELU": _leaky,
    "PRELU": _prelu, "GATHER": _gather, "ADD": _sum, "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
}  # fmt: skip
