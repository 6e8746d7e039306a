"""Bring a tensor's axes into an order, with as few layers that move data as can be."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from workbench.convert.onnx_twin.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.convert.onnx_twin.layers import Layers


def arranged(value: Value, wanted: Sequence[int], layers: Layers) -> Any:
    """Return the Keras tensor with ONNX' axes in an order; a layer moves data only where it must.

    Args:
        value: Not folded.
        wanted: Axes in ONNX, 0 first; those left out have length 1.
        layers: Makes the layers.
    """
    shape = tuple(value.shape[axis] for axis in wanted)
    places = [place for axis in wanted if (place := value.axes[axis]) is not None and value.shape[axis] != 1]
    if places == sorted(places):
        return layers.reshape(value.tensor, shape[1:])
    # Every wanted axis, in the order that the tensor has them, then turned.
    natural = sorted(wanted, key=lambda axis: _place(value, axis))
    tensor = layers.reshape(value.tensor, tuple(value.shape[axis] for axis in natural)[1:])
    return layers.permute(tensor, tuple(natural.index(axis) for axis in wanted)[1:])


def _place(value: Value, axis: int) -> float:
    place = value.axes[axis]
    return math.inf if place is None else place


def plain(value: Value, layers: Layers) -> Value:
    """Return the tensor with its axes and features in ONNX' own order."""
    folded = value.folded
    if folded is None:
        return Value(arranged(value, range(value.rank), layers), tuple(range(value.rank)))
    before = Value(layers.reshape(value.tensor, folded.shape), folded.axes)
    tensor = layers.flatten(arranged(before, range(before.rank), layers))
    return Value(tensor, value.axes)


def unfolded(value: Value, layers: Layers) -> Value:
    """Return the tensor with its features in ONNX' order; its axes may stay as they are."""
    return value if value.folded is None else plain(value, layers)
