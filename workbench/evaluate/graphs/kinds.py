"""Kinds of operations: which are alike, which are made of others, and how their attributes are told in one way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.evaluate.graphs.base import Axes

# One format's two-dimensional convolution over an axis of one element is another's one-dimensional one.
_ALIKE = (
    ("conv1d", "conv2d", "conv3d", "depthwise_conv1d", "depthwise_conv2d"),
    ("conv1d_transpose", "conv2d_transpose", "conv3d_transpose"),
    ("max_pool", "average_pool"),
    ("global_average_pool", "reduce_mean"),
    ("global_max_pool", "reduce_max"),
    ("relu", "relu6", "clip"),
    ("add", "bias"),
)
FAMILIES = {kind: group[0] for group in _ALIKE for kind in group}
KERNELS = frozenset((*_ALIKE[0], *_ALIKE[1], "dense"))
ACTIVATIONS = frozenset((
    "relu", "relu6", "clip", "sigmoid", "tanh", "softmax", "log_softmax", "elu", "selu", "gelu", "softplus",
    "softsign", "leaky_relu", "prelu", "hard_sigmoid", "hard_swish", "exp", "mish",
))  # fmt: skip
# They move, name or store numbers and calculate nothing.
PLUMBING = frozenset((
    "reshape", "transpose", "cast", "identity", "dropout", "quantize", "dequantize", "shape", "gather", "slice",
    "concat", "pack", "split", "expand", "pad",
))  # fmt: skip
# What one format has as a node, another writes out in several.
COMPOSITE = frozenset((
    "gelu", "mish", "hard_swish", "hard_sigmoid", "softplus", "softsign", "selu", "elu", "prelu", "layer_norm",
    "rms_norm", "group_norm", "batch_norm", "lstm", "gru", "rnn", "attention", "normalization", "resize",
    "log_softmax", "repeat",
))  # fmt: skip
# Keras' names of activations, which are the ones used here but for these.
_SAID_OTHERWISE = {"exponential": "exp", "hard_silu": "hard_swish"}
_PLACES = 5


def activation_kinds(name: str) -> tuple[str, ...]:
    """Return the operations of an activation by its name in Keras; `other` for one that is not known."""
    if name in ("linear", "none", ""):
        return ()
    if name in ("swish", "silu"):
        return ("sigmoid", "multiply")
    kind = _SAID_OTHERWISE.get(name, name)
    return (kind if kind in ACTIVATIONS else "other",)


def rounded(value: float) -> float:
    """Return a number as every format keeps it: some store 0.1 in 32 bits, others in 64."""
    return float(f"{value:.{_PLACES}g}")


def same_padding(
    sizes: Sequence[int | None], kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> Any:
    """Return TensorFlow's SAME padding as zeros before and after each axis; `same` where the input's size is open.

    Args:
        sizes: Of the input's spatial axes.
        kernel: Of the window.
        strides: Of the window.
        dilations: Of the window.
    """
    before, after = [], []
    for size, width, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True):
        reach = (width - 1) * dilation
        if stride == 1:
            total = reach
        elif size is None:
            return "same"
        else:
            total = max((-(-size // stride) - 1) * stride + reach + 1 - size, 0)
        before.append(total // 2)
        after.append(total - total // 2)
    return (*before, *after)


def spatial(shape: Axes | None, count: int, *, channels_first: bool) -> tuple[int | None, ...]:
    """Return the axes of a tensor that windows move along; open ones where the shape is not known."""
    if shape is None or len(shape) != count + 2:
        return (None,) * count
    return tuple(shape[2:] if channels_first else shape[1:-1])
