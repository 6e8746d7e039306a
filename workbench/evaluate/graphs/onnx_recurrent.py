"""Recurrent layers of ONNX: both directions in one node, gates in an order of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.evaluate.graphs.base import Operation, Weight

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from workbench.evaluate.graphs.onnx_constants import Constant
    from workbench.evaluate.graphs.onnx_node import OnnxNode

# ONNX has input, output, forget, cell; Keras input, forget, cell, output. Both have a GRU's as update, reset, hidden.
_ORDERS = {"LSTM": (0, 2, 3, 1), "GRU": (0, 1, 2), "RNN": (0,)}
_BIASES = 2  # of the input and of the state before


def recurrent(node: OnnxNode) -> tuple[Operation, ...]:
    """Read LSTM, GRU or RNN as one operation a direction, gates in Keras' order."""
    constants = [node.constant(index) for index in (1, 2, 3)]
    order = _ORDERS[node.operator]
    attributes = {"units": int(node.attribute("hidden_size", 0))}
    if any(each is not None and each.values.ndim != axes for each, axes in zip(constants, (3, 3, 2), strict=True)):
        return (Operation(node.operator.lower(), attributes),)
    directions = next((each.values.shape[0] for each in constants if each is not None), 1)
    return tuple(
        Operation(node.operator.lower(), attributes, tuple(_weights(constants, direction, order, node.operator)))
        for direction in range(directions)
    )


def _weights(constants: list[Constant | None], direction: int, order: tuple[int, ...], operator: str) -> list[Weight]:
    found = []
    for constant, role in zip(constants, ("kernel", "recurrent_kernel", "bias"), strict=True):
        if constant is None:
            continue
        values = constant.values[direction]
        if role != "bias":
            values = _ordered(values, order)
        elif operator == "GRU":  # the hidden gate of the state has a bias of its own
            values = values.ravel()
        else:
            values = sum(_ordered(half, order) for half in np.split(values, _BIASES))
        found.append(Weight(constant.name, role, constant.stored[direction], values, bits=constant.bits))
    return found


def _ordered(values: NDArray[Any], order: tuple[int, ...]) -> NDArray[Any]:
    """Put the gates, which lie one after the other along the first axis, into Keras' order."""
    parts = np.split(values, len(order))
    return np.concatenate([parts[gate] for gate in order])
