"""Operators that treat each element alike: activations, arithmetic with constants and with other tensors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.convert.onnx_twin.layers import Layers, name_of
from workbench.convert.onnx_twin.shapes import arranged, plain, unfolded
from workbench.convert.onnx_twin.steps import ACTIVATIONS
from workbench.convert.onnx_twin.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from workbench.convert.onnx_twin.graph import Graph, Node
    from workbench.convert.onnx_twin.steps import Step

MERGING = {"Add": "Add", "Sub": "Subtract", "Mul": "Multiply", "Max": "Maximum", "Min": "Minimum"}
SCALING = ("Add", "Sub", "Mul", "Div")
_OF_ONE_AXIS = 13
# They are kept in the model's description, as numbers that people can read.
_MOST_CONSTANTS = 4096


def activation(node: Node, value: Value, graph: Graph, layers: Layers) -> Value:
    """Translate activations that no kernel took along."""
    name, attributes = layers.unlike(name_of(node), node), node.attributes
    if node.kind in ACTIVATIONS:
        return value.on(layers.add("Activation", value.tensor, name, activation=ACTIVATIONS[node.kind]))
    if node.kind == "LeakyRelu":
        return value.on(layers.add("LeakyReLU", value.tensor, name, alpha=attributes.get("alpha", 0.01)))
    if node.kind == "Elu":
        return value.on(layers.add("ELU", value.tensor, name, alpha=attributes.get("alpha", 1.0)))
    low, high = _limits(node, graph)
    if low != 0:
        raise node.no_twin(f"it cuts off at {low}, and Keras' ReLU at 0")
    return value.on(layers.add("ReLU", value.tensor, name, max_value=None if math.isinf(high) else high))


def _limits(node: Node, graph: Graph) -> tuple[float, float]:
    """Return where a `Clip` cuts off."""
    found = [float(node.attributes.get("min", -math.inf)), float(node.attributes.get("max", math.inf))]
    for at, given in enumerate(node.inputs[1:]):
        if given and given not in graph.constants:
            raise node.no_twin("where it cuts off is calculated")
        if given:
            found[at] = float(graph.constants[given])
    return found[0], found[1]


def softmax(node: Node, value: Value, graph: Graph, layers: Layers) -> Value:
    """Translate `Softmax` and `LogSoftmax` along one axis."""
    usual = -1 if graph.opset >= _OF_ONE_AXIS else 1
    axis = node.attributes.get("axis", usual) % value.rank
    if graph.opset < _OF_ONE_AXIS and axis != value.rank - 1:
        raise node.no_twin("it goes along several axes")
    value = unfolded(value, layers)
    last = len(value.tensor.shape) - 1
    if value.axes[axis] != last:
        value = plain(value, layers)
        if axis != value.rank - 1:
            raise node.no_twin("it does not go along the channels")
    kind = "softmax" if node.kind == "Softmax" else "log_softmax"
    return value.on(layers.add("Activation", value.tensor, name_of(node), activation=kind))


def normalised(node: Node, value: Value, graph: Graph, layers: Layers) -> Value:
    """Translate `BatchNormalization` with what it has measured in training."""
    found = [graph.constants.get(name) for name in node.inputs[1:]]
    if any(each is None for each in found) or node.attributes.get("training_mode", 0):
        raise node.no_twin("its mean and variance are not constants")
    if value.axes[1] is None:
        value = plain(value, layers)
    if value.folded is not None:
        found = [_reordered(each, value) for each in found if each is not None]
    tensor = layers.add(
        "BatchNormalization", value.tensor, name_of(node, node.inputs[1]), found,
        axis=value.axes[1], epsilon=node.attributes.get("epsilon", 1e-5),
        momentum=node.attributes.get("momentum", 0.9),
    )  # fmt: skip
    return value.on(tensor)


def merged(node: Node, values: Sequence[Value], layers: Layers) -> Value:
    """Translate arithmetic between tensors; one of length 1 along an axis is repeated there."""
    first = values[0]
    if any((each.axes, each.folded) != (first.axes, first.folded) for each in values):
        values = [unfolded(each, layers) for each in values]
        if len({each.rank for each in values}) > 1:
            raise node.no_twin("its inputs have different numbers of axes")
        first = max(values, key=lambda each: math.prod(length or 1 for length in each.shape))
        order = sorted(range(first.rank), key=lambda axis: _order(first, axis))
        tensors = [arranged(each, order, layers) for each in values]
        axes: tuple[int | None, ...] = tuple(order.index(axis) for axis in range(first.rank))
        return Value(layers.add(MERGING[node.kind], tensors, name_of(node)), axes)
    return first.on(layers.add(MERGING[node.kind], [each.tensor for each in values], name_of(node)))


def concatenated(node: Node, values: Sequence[Value], layers: Layers) -> Value:
    """Translate `Concat`."""
    values = [unfolded(each, layers) for each in values]
    first = values[0]
    axis = node.attributes["axis"] % first.rank
    if axis == 0:
        raise node.no_twin("it puts samples together")
    order = sorted(range(first.rank), key=lambda each: _order(first, each))
    tensors = [arranged(each, order, layers) for each in values]
    tensor = layers.add("Concatenate", tensors, name_of(node), axis=order.index(axis))
    return Value(tensor, tuple(order.index(each) for each in range(first.rank)))


def _order(value: Value, axis: int) -> float:
    place = value.axes[axis]
    return math.inf if place is None else place


def scaled(step: Step, value: Value, graph: Graph, layers: Layers) -> Value:
    """Translate arithmetic with a constant, and one that is added right after: Keras' `Rescaling`."""
    node = step.node
    first = node.inputs[0] in graph.constants
    constant = graph.constants[node.inputs[0] if first else node.inputs[1]]
    factor, offset = _linear(node, constant, first=first)
    if step.bias is not None:
        offset = step.bias
    if np.all(np.asarray(factor) == 1) and np.all(np.asarray(offset) == 0):
        return value
    tensor = layers.add(
        "Rescaling", value.tensor, name_of(node), scale=_like(value, factor, node), offset=_like(value, offset, node)
    )
    return value.on(tensor)


def _linear(node: Node, constant: NDArray[Any], *, first: bool) -> tuple[Any, Any]:
    """Return what is multiplied and what is added."""
    match node.kind:
        case "Add":
            return 1.0, constant
        case "Mul":
            return constant, 0.0
        case "Sub":
            return (-1.0, constant) if first else (1.0, -constant)
        case "Div" if not first:
            return 1.0 / constant, 0.0
    raise node.no_twin("what it does with its constant is no product and no sum")


def _like(value: Value, constant: Any, node: Node) -> Any:
    """Return a constant in the order of the Keras tensor, as plain numbers."""
    array = np.asarray(constant, np.float64)
    if array.size == 1:
        return float(array.reshape(()))
    full = array.reshape((1,) * (value.rank - array.ndim) + array.shape)
    fits = full.ndim == value.rank and full.shape[0] == 1
    if not fits or any(have not in (1, want) for have, want in zip(full.shape[1:], value.shape[1:], strict=True)):
        raise node.no_twin(f"its constant has the shape {array.shape}")
    if full.size > _MOST_CONSTANTS:
        raise node.no_twin(f"its constant has {full.size} values")
    if value.folded is not None:
        full = _reordered(full.reshape(-1), value).reshape(full.shape)
    held = [axis for axis in value.axes if axis is not None]
    kept = full.squeeze(tuple(at for at, axis in enumerate(value.axes) if axis is None))
    turned = kept.transpose(np.argsort(held))
    missing = [axis for axis in range(len(value.tensor.shape)) if axis not in held]
    return np.expand_dims(turned, missing)[0].tolist()


def _reordered(vector: NDArray[Any], value: Value) -> NDArray[Any]:
    """Return one value a feature in the order that a folded tensor has them."""
    assert value.folded is not None
    turned = np.empty_like(vector)
    turned[value.folded.order] = vector
    return turned
