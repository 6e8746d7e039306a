"""What TensorFlow's operations calculate (tensorflow/core/ops)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.evaluate.graphs.base import Operation, Weight
from workbench.evaluate.graphs.kinds import rounded, same_padding

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from workbench.evaluate.graphs.protobuf import Message

_SIMPLE = {
    "Relu": "relu", "Relu6": "relu6", "Sigmoid": "sigmoid", "Tanh": "tanh", "Elu": "elu", "Selu": "selu",
    "Softplus": "softplus", "LogSoftmax": "log_softmax", "Exp": "exp", "Log": "log", "Neg": "neg", "Erf": "erf",
    "Sqrt": "sqrt", "Rsqrt": "reciprocal_sqrt", "Pow": "power", "Add": "add", "AddV2": "add", "AddN": "add",
    "Sub": "subtract", "Mul": "multiply", "RealDiv": "divide", "Maximum": "maximum", "Minimum": "minimum",
    "ConcatV2": "concat", "Split": "split", "Slice": "slice", "StridedSlice": "slice", "GatherV2": "gather",
    "Shape": "shape", "Cast": "cast", "Identity": "identity", "Transpose": "transpose", "Reshape": "reshape",
    "Squeeze": "reshape", "ExpandDims": "reshape", "Pack": "pack", "Fill": "expand", "Tile": "expand", "Pad": "pad",
    "PadV2": "pad", "Max": "reduce_max", "Sum": "reduce_sum", "Prod": "reduce_product", "ResizeBilinear": "resize",
    "ResizeNearestNeighbor": "resize", "BatchMatMulV2": "matmul", "Einsum": "matmul", "SelectV2": "where",
    "SpaceToBatchND": "space_to_batch", "BatchToSpaceND": "batch_to_space", "ArgMax": "arg_max", "While": "loop",
    "StatelessWhile": "loop", "If": "branch", "StatelessIf": "branch", "FakeQuantWithMinMaxVars": "quantize",
    "FakeQuantWithMinMaxVarsPerChannel": "quantize",
}  # fmt: skip
Constants = list["tuple[str, NDArray[Any]] | None"]


def operations(operator: str, attributes: dict[str, Message], constants: Constants) -> tuple[Operation, ...]:
    """Say what an operation calculates; one that is not known is of kind `other`.

    Args:
        operator: TensorFlow's name of it.
        attributes: Its `AttrValue` messages.
        constants: Name and values of each input that is constant, None for the others.
    """
    known = _BUILDERS.get(operator)
    if known is not None:
        return (known(attributes, constants),)
    kind = _SIMPLE.get(operator, "other")
    return (Operation(kind, {}, tuple(_weight(held, "value") for held in constants if _is_weight(held))),)


def _is_weight(held: Any) -> bool:
    return held is not None and held[1].dtype.kind == "f" and held[1].size > 1


def _weight(held: Any, role: str, change: Callable[[NDArray[Any]], NDArray[Any]] | None = None) -> Weight:
    name, stored = held
    return Weight(name, role, stored, stored if change is None else change(stored), bits=8 * stored.dtype.itemsize)


def _one(
    constants: Constants, index: int, role: str, change: Callable[[NDArray[Any]], NDArray[Any]] | None = None
) -> tuple[Weight, ...]:
    held = constants[index] if index < len(constants) else None
    return () if held is None else (_weight(held, role, change),)


def _window(attributes: dict[str, Message], window: tuple[int, ...]) -> dict[str, Any]:
    first = attributes["data_format"].text(2) == "NCHW" if "data_format" in attributes else False
    strides, dilations = (
        tuple((values := attributes[name].message(1).numbers(3)) and (values[2:] if first else values[1:-1]))
        if name in attributes
        else (1,) * len(window)
        for name in ("strides", "dilations")
    )
    padding: Any = (0,) * (2 * len(window))
    if "padding" in attributes and attributes["padding"].text(2) == "SAME":
        padding = same_padding((None,) * len(window), window, strides, dilations or (1,) * len(window))
    return {"strides": strides, "dilations": dilations, "padding": padding}


def _conv(attributes: dict[str, Message], constants: Constants) -> Operation:
    weights = _one(constants, 1, "kernel", lambda values: values.transpose(3, 2, 0, 1))
    return Operation("conv2d", _window(attributes, _spatial(weights)), weights)


def _depthwise(attributes: dict[str, Message], constants: Constants) -> Operation:
    def moved(values: NDArray[Any]) -> NDArray[Any]:
        return values.transpose(2, 3, 0, 1).reshape(-1, 1, *values.shape[:2])

    weights = _one(constants, 1, "kernel", moved)
    return Operation("depthwise_conv2d", _window(attributes, _spatial(weights)), weights)


def _transposed(attributes: dict[str, Message], constants: Constants) -> Operation:
    weights = _one(constants, 1, "kernel", lambda values: values.transpose(2, 3, 0, 1))
    found = _window(attributes, _spatial(weights))
    found.pop("padding")
    return Operation("conv2d_transpose", found, weights)


def _spatial(weights: tuple[Weight, ...]) -> tuple[int, ...]:
    return tuple(weights[0].values.shape[2:]) if weights else (1, 1)


def _matmul(attributes: dict[str, Message], constants: Constants) -> Operation:
    turned = "transpose_b" in attributes and bool(attributes["transpose_b"].number(5))
    weights = _one(constants, 1, "kernel", None if turned else np.transpose)
    return Operation("dense" if weights else "matmul", {}, weights)


def _bias(attributes: dict[str, Message], constants: Constants) -> Operation:
    del attributes
    return Operation("bias", {}, _one(constants, 1, "bias", np.ravel))


def _norm(attributes: dict[str, Message], constants: Constants) -> Operation:
    roles = enumerate(("gamma", "beta", "mean", "variance"), 1)
    weights = tuple(weight for index, role in roles for weight in _one(constants, index, role))
    epsilon = attributes["epsilon"].real(4) if "epsilon" in attributes else 1e-4
    return Operation("batch_norm", {"epsilon": rounded(epsilon)}, weights)


def _pool(kind: str) -> Callable[[dict[str, Message], Constants], Operation]:
    def build(attributes: dict[str, Message], constants: Constants) -> Operation:
        del constants
        window = tuple(attributes["ksize"].message(1).numbers(3)[1:-1]) if "ksize" in attributes else (1, 1)
        found = {"window": window, **_window(attributes, window)}
        found.pop("dilations")
        return Operation(kind, found)

    return build


def _mean(attributes: dict[str, Message], constants: Constants) -> Operation:
    del attributes
    held = constants[1] if len(constants) > 1 else None
    axes = () if held is None else tuple(sorted(int(axis) for axis in held[1].ravel()))
    return Operation("global_average_pool") if axes == (1, 2) else Operation("reduce_mean", {"axes": axes})


def _leaky(attributes: dict[str, Message], constants: Constants) -> Operation:
    del constants
    return Operation("leaky_relu", {"alpha": rounded(attributes["alpha"].real(4)) if "alpha" in attributes else 0.2})


def _softmax(attributes: dict[str, Message], constants: Constants) -> Operation:
    del attributes, constants
    return Operation("softmax", {"axis": -1})


_BUILDERS: dict[str, Callable[[dict[str, Message], Constants], Operation]] = {
    "Conv2D": _conv, "DepthwiseConv2dNative": _depthwise, "Conv2DBackpropInput": _transposed, "MatMul": _matmul,
    "BiasAdd": _bias, "FusedBatchNormV3": _norm, "MaxPool": _pool("max_pool"), "AvgPool": _pool("average_pool"),
    "Mean": _mean, "LeakyRelu": _leaky, "Softmax": _softmax,
}  # fmt: skip
