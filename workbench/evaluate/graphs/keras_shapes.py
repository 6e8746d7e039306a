"""Shapes of what Keras layers give, worked out from their configuration: files tell those of inputs only."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.evaluate.graphs.base import Axes

_ALIKE = (
    "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "BatchNormalization", "LayerNormalization",
    "GroupNormalization", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise", "GaussianDropout",
    "Rescaling", "Normalization", "Identity", "QuantizeLayer", "UnitNormalization", "ThresholdedReLU",
    "MultiHeadAttention",
)  # fmt: skip
_MERGES = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")


def result_shape(layer: str, config: dict[str, Any], inputs: list[Axes | None]) -> Axes | None:
    """Return the shape of a layer's result; None where nobody here can say.

    Args:
        layer: Class of the layer.
        config: Its configuration.
        inputs: Shapes of what it takes.
    """
    given = inputs[0] if inputs else None
    if given is None:
        return None
    if layer in _ALIKE or (layer in _MERGES and all(each == given for each in inputs)):
        return given
    if layer == "Concatenate":
        return _joined(int(config.get("axis", -1)), inputs)
    rule = next((rule for start, rule in _RULES.items() if layer.startswith(start)), None)
    return None if rule is None or "Transpose" in layer else rule(config, given)


def _joined(axis: int, inputs: list[Axes | None]) -> Axes | None:
    shapes = [list(each) for each in inputs if each is not None]
    if len(shapes) < len(inputs) or len({len(each) for each in shapes}) > 1:
        return None
    sizes = [each[axis] for each in shapes]
    shapes[0][axis] = None if None in sizes else sum(size or 0 for size in sizes)
    return tuple(shapes[0])


def _dense(config: dict[str, Any], given: Axes) -> Axes:
    return (*given[:-1], int(config["units"]))


def _flat(config: dict[str, Any], given: Axes) -> Axes:
    del config
    return (given[0], None if None in given[1:] else math.prod(axis or 0 for axis in given[1:]))


def _pooled(config: dict[str, Any], given: Axes) -> Axes | None:
    return None if config.get("keepdims") else (given[0], given[-1] if _channels_last(config) else given[1])


def _recurrent(config: dict[str, Any], given: Axes) -> Axes | None:
    if config.get("return_state"):
        return None
    units = int(config["units"])
    return (*given[:2], units) if config.get("return_sequences") else (given[0], units)


def _channels_last(config: dict[str, Any]) -> bool:
    return bool(config.get("data_format", "channels_last") != "channels_first")


def _windowed(config: dict[str, Any], given: Axes) -> Axes | None:
    if config.get("padding") not in ("same", "valid"):
        return None
    window = axes_of(config.get("kernel_size", config.get("pool_size", 1)), len(given) - 2)
    strides = axes_of(config.get("strides") or (window if "pool_size" in config else 1), len(window))
    dilations = axes_of(config.get("dilation_rate", 1), len(window))
    last = _channels_last(config)
    sizes, channels = (given[1:-1], given[-1]) if last else (given[2:], given[1])
    if "filters" in config:
        channels = int(config["filters"])
    elif channels is not None:
        channels *= int(config.get("depth_multiplier", 1))
    moved = []
    for size, width, stride, dilation in zip(sizes, window, strides, dilations, strict=True):
        reach = 0 if config["padding"] == "same" else (width - 1) * dilation
        moved.append(None if size is None else -(-(size - reach) // stride))
    return (given[0], *moved, channels) if last else (given[0], channels, *moved)


def axes_of(value: Any, count: int) -> tuple[int, ...]:
    """Return a setting of one number or one an axis as one an axis."""
    return tuple(int(each) for each in value) if isinstance(value, (list, tuple)) else (int(value),) * max(count, 1)


# By how the class' name starts.
_RULES: dict[str, Callable[[dict[str, Any], Axes], Axes | None]] = {
    "Dense": _dense, "Flatten": _flat, "GlobalAveragePooling": _pooled, "GlobalMaxPooling": _pooled,
    "LSTM": _recurrent, "GRU": _recurrent, "SimpleRNN": _recurrent, "Conv": _windowed, "SeparableConv": _windowed,
    "DepthwiseConv": _windowed, "MaxPooling": _windowed, "AveragePooling": _windowed,
}  # fmt: skip
