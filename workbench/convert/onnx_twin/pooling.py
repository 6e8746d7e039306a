"""Pools over windows and over whole axes, and padding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.convert.onnx_twin.layers import Layers, name_of
from workbench.convert.onnx_twin.shapes import arranged, unfolded
from workbench.convert.onnx_twin.value import Value
from workbench.convert.onnx_twin.windows import windowed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.convert.onnx_twin.graph import Graph, Node

# After these, nothing is below zero; the second ones keep what they are given.
_NO_LESS_THAN_ZERO = ("Relu", "Sigmoid", "Softmax", "Softplus")
_KEEPING = ("MaxPool", "AveragePool", "GlobalAveragePool", "Transpose", "Reshape", "Identity", "Dropout", "Squeeze")
_MOST_AXES = 2


def pool(node: Node, value: Value, graph: Graph, layers: Layers) -> Value:
    """Translate `MaxPool` and `AveragePool`."""
    largest = node.kind == "MaxPool"
    given = windowed(value, node, node.attributes["kernel_shape"], layers)
    if any(axis.dilation != 1 for axis in given.axes):
        raise node.no_twin("its window has gaps")
    if not largest and node.attributes.get("ceil_mode", 0):
        raise node.no_twin("it averages over windows that reach beyond the edge")
    counted = not largest and bool(node.attributes.get("count_include_pad", 0))
    # Zeros are never the largest where nothing is negative, and are counted in a mean where ONNX says so.
    zeros = counted or (largest and _no_less_than_zero(node.inputs[0], graph))
    tensor, padding = given.padded(node, layers, same=not counted, zeros=zeros)
    config = {
        "pool_size": [axis.window for axis in given.axes],
        "strides": [axis.stride for axis in given.axes],
        "padding": padding,
    }
    kind = "MaxPooling" if largest else "AveragePooling"
    return given.like(layers.add(kind + given.suffix, tensor, name_of(node), **config))


def _no_less_than_zero(name: str, graph: Graph) -> bool:
    made = {node.output: node for node in graph.nodes}
    while name in made and made[name].kind in _KEEPING:
        name = made[name].inputs[0]
    return name in made and made[name].kind in _NO_LESS_THAN_ZERO


def pool_whole(node: Node, value: Value, graph: Graph, layers: Layers) -> Value:
    """Translate pools that leave one value a channel: global ones, and the mean or maximum along all other axes."""
    value = unfolded(value, layers)
    reduced, keep = _reduced(node, value, graph)
    places: list[int | None] = [None if axis in reduced else value.axes[axis] for axis in range(value.rank)]
    long = [axis for axis in reduced if value.shape[axis] != 1]
    tensor = value.tensor
    if long:
        others = [axis for axis in range(1, value.rank) if axis not in reduced]
        channels = [axis for axis in others if value.shape[axis] != 1] or others[:1]
        if len(channels) != 1 or len(long) > _MOST_AXES or 0 in reduced:
            raise node.no_twin("Keras' pools go along one or two axes and leave one")
        kind = "Max" if "Max" in node.kind else "Average"
        tensor = arranged(value, (0, *long, *channels), layers)
        tensor = layers.add(f"Global{kind}Pooling{len(long)}D", tensor, name_of(node))
        places = [{0: 0, channels[0]: 1}.get(axis) for axis in range(value.rank)]
    return Value(tensor, tuple(place for axis, place in enumerate(places) if keep or axis not in reduced))


def _reduced(node: Node, value: Value, graph: Graph) -> tuple[list[int], bool]:
    """Return the axes that go, and whether they stay with length 1."""
    if node.kind.startswith("Global"):
        return list(range(2, value.rank)), True
    axes: Sequence[int] | None = node.attributes.get("axes")
    if len(node.inputs) > 1 and node.inputs[1]:
        axes = [int(axis) for axis in graph.constants[node.inputs[1]]] if node.inputs[1] in graph.constants else None
    if axes is None:
        raise node.no_twin("the axes that it goes along are not in the file")
    return sorted(axis % value.rank for axis in axes), bool(node.attributes.get("keepdims", 1))
