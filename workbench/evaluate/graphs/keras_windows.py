"""Layers of Keras that move a window over their input: convolutions and pools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.evaluate.graphs.base import Operation
from workbench.evaluate.graphs.keras_layer import activation_of, bias_of, one_weight
from workbench.evaluate.graphs.keras_shapes import axes_of
from workbench.evaluate.graphs.kinds import same_padding, spatial

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from workbench.evaluate.graphs.keras_layer import Layer

_RANKS = {"1D": 1, "2D": 2, "3D": 3}


def _rank(layer: Layer) -> int:
    return next((rank for sign, rank in _RANKS.items() if sign in layer.kind), 2)


def _window(layer: Layer, window: tuple[int, ...], strides: Any) -> dict[str, Any]:
    steps = axes_of(strides or window, len(window))
    dilations = axes_of(layer.config.get("dilation_rate", 1), len(window))
    padding: Any = layer.config.get("padding", "valid")
    if padding == "valid":
        padding = (0,) * (2 * len(window))
    elif padding == "same":
        first = layer.config.get("data_format") == "channels_first"
        sizes = spatial(layer.given, len(window), channels_first=first)
        padding = same_padding(sizes, window, steps, dilations)
    return {"strides": steps, "dilations": dilations, "padding": padding}


def _outputs_first(values: NDArray[Any]) -> NDArray[Any]:
    """Turn (…, I, O) into (O, I, …)."""
    return values.transpose(values.ndim - 1, values.ndim - 2, *range(values.ndim - 2))


def _each_channel(values: NDArray[Any]) -> NDArray[Any]:
    """Turn (…, C, M) into (C · M, 1, …)."""
    axes = values.ndim
    moved = values.transpose(axes - 2, axes - 1, *range(axes - 2))
    return moved.reshape(-1, 1, *moved.shape[2:])


def conv(layer: Layer) -> tuple[Operation, ...]:
    """Read a convolution."""
    rank = _rank(layer)
    attributes = _window(layer, axes_of(layer.config["kernel_size"], rank), layer.config.get("strides", 1))
    if int(layer.config.get("groups", 1)) > 1:
        attributes["groups"] = int(layer.config["groups"])
    found = Operation(f"conv{rank}d", attributes, one_weight(layer.held, 0, "kernel", _outputs_first))
    return (found, *bias_of(layer, 1), *activation_of(layer.config.get("activation")))


def conv_transpose(layer: Layer) -> tuple[Operation, ...]:
    """Read a transposed convolution."""
    rank = _rank(layer)
    attributes = _window(layer, axes_of(layer.config["kernel_size"], rank), layer.config.get("strides", 1))
    attributes.pop("padding")  # told in another way by every format
    weights = one_weight(
        layer.held, 0, "kernel", lambda values: values.transpose(rank, rank + 1, *range(rank))
    )  # (…, O, I) to (O, I, …)
    found = Operation(f"conv{rank}d_transpose", attributes, weights)
    return (found, *bias_of(layer, 1), *activation_of(layer.config.get("activation")))


def depthwise(layer: Layer) -> tuple[Operation, ...]:
    """Read a depthwise convolution."""
    rank = _rank(layer)
    attributes = _window(layer, axes_of(layer.config["kernel_size"], rank), layer.config.get("strides", 1))
    found = Operation(f"depthwise_conv{rank}d", attributes, one_weight(layer.held, 0, "kernel", _each_channel))
    return (found, *bias_of(layer, 1), *activation_of(layer.config.get("activation")))


def separable(layer: Layer) -> tuple[Operation, ...]:
    """Read a separable convolution as the two that it is made of."""
    rank = _rank(layer)
    attributes = _window(layer, axes_of(layer.config["kernel_size"], rank), layer.config.get("strides", 1))
    depthwise = Operation(f"depthwise_conv{rank}d", attributes, one_weight(layer.held, 0, "kernel", _each_channel))
    plain = {"strides": (1,) * rank, "dilations": (1,) * rank, "padding": (0,) * (2 * rank)}
    pointwise = Operation(f"conv{rank}d", plain, one_weight(layer.held, 1, "kernel", _outputs_first))
    return (depthwise, pointwise, *bias_of(layer, 2), *activation_of(layer.config.get("activation")))


def pool(kind: str) -> Callable[[Layer], tuple[Operation, ...]]:
    """Return what reads a pool of a kind."""

    def build(layer: Layer) -> tuple[Operation, ...]:
        window = axes_of(layer.config["pool_size"], _rank(layer))
        attributes = {"window": window, **_window(layer, window, layer.config.get("strides"))}
        attributes.pop("dilations")
        return (Operation(kind, attributes),)

    return build
