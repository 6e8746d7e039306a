"""Operators that only rename or regroup axes: most of them leave no layer behind."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from workbench.convert.onnx_twin.graph import BATCH
from workbench.convert.onnx_twin.shapes import arranged, unfolded
from workbench.convert.onnx_twin.value import Folded, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.convert.onnx_twin.graph import Graph, Node
    from workbench.convert.onnx_twin.layers import Layers

_AXES = 1
_FLOAT = 1


def same(node: Node, value: Value, graph: Graph, layers: Layers) -> Value:
    """Translate what does nothing to a float32 tensor in a trained model: `Identity`, `Dropout`, `Cast`."""
    del graph, layers
    if node.kind == "Cast" and node.attributes.get("to") != _FLOAT:
        raise node.no_twin("it makes another type than float32")
    return value


def transposed(node: Node, value: Value, graph: Graph, layers: Layers) -> Value:
    """Rename the axes as `Transpose` does."""
    del graph, layers
    order = node.attributes.get("perm", list(reversed(range(value.rank))))
    if order[0] != 0:
        raise node.no_twin("it moves the batch axis")
    return Value(value.tensor, tuple(value.axes[axis] for axis in order), value.folded)


def squeezed(node: Node, value: Value, graph: Graph, layers: Layers) -> Value:
    """Drop axes of length 1; all of them where none are named."""
    del layers
    named = _listed(node, graph)
    short = {axis for axis in range(1, value.rank) if value.shape[axis] == 1}
    gone = short if named is None else {axis % value.rank for axis in named}
    if not gone <= short:
        raise node.no_twin("it drops an axis that is not of length 1")
    return Value(value.tensor, tuple(p for axis, p in enumerate(value.axes) if axis not in gone), value.folded)


def unsqueezed(node: Node, value: Value, graph: Graph, layers: Layers) -> Value:
    """Add axes of length 1."""
    del layers
    named = _listed(node, graph) or []
    rank = value.rank + len(named)
    new = {axis % rank for axis in named}
    if 0 in new:
        raise node.no_twin("it moves the batch axis")
    left = iter(value.axes)
    return Value(value.tensor, tuple(None if axis in new else next(left) for axis in range(rank)), value.folded)


def flattened(node: Node, value: Value, graph: Graph, layers: Layers) -> Value:
    """Make one axis of all but the batch."""
    del graph
    if node.attributes.get("axis", 1) % value.rank != 1:
        raise node.no_twin("it flattens from another axis than the second")
    return _reshaped(value, (math.prod(_lengths(value)),), layers)


def reshaped(node: Node, value: Value, graph: Graph, layers: Layers) -> Value:
    """Regroup the axes of each sample."""
    target = _listed(node, graph) or []
    if not node.attributes.get("allowzero", 0):
        target = [(value.shape[at] or BATCH) if length == 0 else length for at, length in enumerate(target)]
    first, rest = (target or [0])[0], target[1:]
    elements = math.prod(_lengths(value))
    if rest.count(-1) == 1 and first != -1:
        others = -math.prod(rest)
        rest[rest.index(-1)] = elements // others if others > 0 else 0
    if first not in (-1, BATCH, graph.batch) or min(rest, default=0) < 1 or math.prod(rest) != elements:
        raise node.no_twin("it moves elements between samples")
    return _reshaped(value, tuple(rest), layers)


def _listed(node: Node, graph: Graph) -> list[int] | None:
    """Return axes or lengths that an operator is told: an input now, an attribute once."""
    if len(node.inputs) <= _AXES:
        listed: list[int] | None = node.attributes.get("axes")
        return listed
    constant = graph.constants.get(node.inputs[_AXES])
    if constant is None:
        raise node.no_twin("the shape that it gives is calculated")
    return [int(each) for each in np.atleast_1d(constant)]


def _reshaped(value: Value, target: tuple[int, ...], layers: Layers) -> Value:
    lengths = (None, *target)
    long = value.long_axes()
    if [value.shape[axis] for axis in long] == [length for length in lengths if length != 1]:
        return _renamed(value, long, lengths)
    value = unfolded(value, layers)
    if len(target) > 1:
        tensor = layers.reshape(arranged(value, range(value.rank), layers), target)
        return Value(tensor, tuple(range(len(lengths))))
    folded = Folded(tuple(value.tensor.shape[1:]), value.axes)
    tidy = bool((np.diff(folded.order) == 1).all())
    return Value(layers.flatten(value.tensor), (0, 1), None if tidy else folded)


def _renamed(value: Value, long: list[int], lengths: Sequence[int | None]) -> Value:
    """Only axes of length 1 come, go or move: nothing happens to the data."""
    places = iter([value.axes[axis] for axis in long])
    short = [axis for axis in range(value.rank) if axis not in long]
    spare = iter([place for axis in short if (place := value.axes[axis]) is not None])
    axes = tuple(next(places) if length != 1 else next(spare, None) for length in lengths)
    return Value(value.tensor, axes, value.folded)


def _lengths(value: Value) -> list[int]:
    return [int(length or 0) for length in value.shape[1:]]
