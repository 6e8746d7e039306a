"""One layer of Keras, for those who say what it calculates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.evaluate.graphs.base import Operation, Weight
from workbench.evaluate.graphs.kinds import activation_kinds

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from workbench.evaluate.graphs.base import Axes
    from workbench.evaluate.graphs.keras_weights import Held


@dataclass(frozen=True)
class Layer:
    """A layer to read.

    Attributes:
        kind: Its class.
        config: Its configuration.
        held: Its weights in its own order.
        given: Shape of its input.
    """

    kind: str
    config: dict[str, Any]
    held: list[Held]
    given: Axes | None


def weight_of(held: Held, role: str, change: Callable[[NDArray[Any]], NDArray[Any]] | None = None) -> Weight:
    """Return a weight in the common layout."""
    values = held.values if change is None else change(held.values)
    return Weight(held.name, role, held.values, values, bits=8 * held.values.dtype.itemsize)


def one_weight(
    held: list[Held], index: int, role: str, change: Callable[[NDArray[Any]], NDArray[Any]]
) -> tuple[Weight, ...]:
    """Return the weight at an index, or nothing where there is none."""
    return (weight_of(held[index], role, change),) if index < len(held) else ()


def bias_of(layer: Layer, index: int) -> tuple[Operation, ...]:
    """Return the bias at an index as an operation, where the layer has one."""
    if not layer.config.get("use_bias", True) or index >= len(layer.held):
        return ()
    return (Operation("bias", {}, (weight_of(layer.held[index], "bias", np.ravel),)),)


def activation_of(value: Any) -> tuple[Operation, ...]:
    """Return a layer's activation as operations, none where it is linear."""
    while isinstance(value, dict):  # a class around the name, such as quantization-aware training's
        value = value.get("config") if isinstance(value.get("config"), (str, dict)) else value.get("activation")
    return tuple(activated(kind) for kind in activation_kinds(str(value or "linear")))


def activated(kind: str) -> Operation:
    """Return an activation as Keras means it where nothing else is said."""
    return Operation(kind, {"axis": -1} if kind == "softmax" else {"alpha": 0.2} if kind == "leaky_relu" else {})
