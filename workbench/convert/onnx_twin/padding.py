"""Padding that is a node of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.convert.onnx_twin.layers import Layers, name_of
from workbench.convert.onnx_twin.shapes import arranged, unfolded
from workbench.convert.onnx_twin.value import Value

if TYPE_CHECKING:
    from workbench.convert.onnx_twin.graph import Graph, Node

_PADS, _FILLING, _AXES = 1, 2, 3
_MOST_AXES = 2


def pad(node: Node, value: Value, graph: Graph, layers: Layers) -> Value:
    """Translate `Pad` with zeros along one or two axes that are not the channels."""
    asked = {axis: pair for axis, pair in _pads(node, value, graph).items() if pair != (0, 0)}
    if not asked:
        return value
    value = unfolded(value, layers)
    rest = [axis for axis in range(1, value.rank) if axis not in asked]
    long = [axis for axis in rest if value.shape[axis] != 1] or rest[:1]
    # Keras pads height and width together; the channels are what it has last.
    channels = max(long, key=lambda axis: value.axes[axis] or 0, default=0)
    spatial = sorted([*asked, *(axis for axis in long if axis != channels)])
    if 0 in asked or not channels or len(spatial) > _MOST_AXES or min(map(min, asked.values())) < 0:
        raise node.no_twin("Keras pads along one or two axes, not samples or channels")
    order = (0, *spatial, channels)
    pairs = tuple(asked.get(axis, (0, 0)) for axis in spatial)
    tensor = layers.add(
        f"ZeroPadding{len(spatial)}D", arranged(value, order, layers), name_of(node),
        padding=pairs if len(pairs) > 1 else pairs[0],
    )  # fmt: skip
    return Value(tensor, tuple(order.index(axis) if axis in order else None for axis in range(value.rank)))


def _pads(node: Node, value: Value, graph: Graph) -> dict[int, tuple[int, int]]:
    """Return padding in front and behind by axis in ONNX."""
    pads = node.attributes.get("pads") if len(node.inputs) <= _PADS else graph.constants.get(node.inputs[_PADS])
    filling = node.attributes.get("value", _optional(node, graph, _FILLING, 0))
    if pads is None or node.attributes.get("mode", "constant") != "constant" or np.any(np.asarray(filling) != 0):
        raise node.no_twin("it does not pad with zeros")
    axes = [int(axis) % value.rank for axis in np.atleast_1d(_optional(node, graph, _AXES, range(value.rank)))]
    return {axis: (int(pads[at]), int(pads[len(axes) + at])) for at, axis in enumerate(axes)}


def _optional(node: Node, graph: Graph, at: int, usual: Any) -> Any:
    given = node.inputs[at] if len(node.inputs) > at else ""
    return graph.constants.get(given, usual) if given else usual
