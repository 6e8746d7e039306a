"""Operators that are one layer in Keras: a kernel, the bias that is added to it and the activation after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.convert.onnx_twin.graph import Graph, Node

# Those without settings of their own.
ACTIVATIONS = {
    "Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Softplus": "softplus", "Softsign": "softsign",
}  # fmt: skip
_KERNELS = ("Conv", "MatMul", "Gemm")
_MATRIX = 2
# Before, a softmax took all axes from its own on as one.
_SOFTMAX_OF_ONE_AXIS = 13


@dataclass(frozen=True)
class Step:
    """A node, and what is done to its output by nodes that nobody else reads.

    Attributes:
        node: The first.
        bias: Constant that is added, as the file stores it.
        activation: Keras' name of what comes last.
        absorbed: The other nodes.
    """

    node: Node
    bias: NDArray[Any] | None = None
    activation: str | None = None
    absorbed: tuple[Node, ...] = ()

    @property
    def output(self) -> str:
        """Name of what it gives."""
        return (self.absorbed or (self.node,))[-1].output


def step_from(node: Node, graph: Graph) -> Step:
    """Return a node together with the nodes that one layer does as well."""
    bias, absorbed = None, []
    reader = graph.only_reader(node.output)
    if reader is not None and (bias := _bias(node, reader, graph)) is not None:
        absorbed.append(reader)
        reader = graph.only_reader(reader.output)
    activation = _activation(node, reader, graph) if reader is not None else None
    if reader is not None and activation is not None:
        absorbed.append(reader)
    return Step(node, bias, activation, tuple(absorbed))


def _bias(node: Node, reader: Node, graph: Graph) -> NDArray[Any] | None:
    """Return the constant that a node's only reader adds to it, if the node's layer can."""
    if reader.kind != "Add":
        return None
    other = reader.inputs[1] if reader.inputs[0] == node.output else reader.inputs[0]
    constant = graph.constants.get(other)
    if constant is None:
        return None
    constants = [graph.constants[name] for name in node.inputs if name in graph.constants]
    if node.kind == "Mul" and constants:
        return constant
    if node.kind == "MatMul" and constants:
        vector = constant.ndim <= _MATRIX and constant.shape[-1:] in ((), (constant.size,))
        return constant if vector and constant.size in (1, constants[0].shape[-1]) else None
    if node.kind == "Conv" and len(node.inputs) == _MATRIX and constants:
        kernel = constants[0]
        full = (1,) * (kernel.ndim - constant.ndim) + constant.shape
        return constant if full == (1, len(kernel), *(1,) * (kernel.ndim - 2)) else None
    return None


def _activation(node: Node, reader: Node, graph: Graph) -> str | None:
    if node.kind not in _KERNELS:
        return None
    if reader.kind == "Softmax":
        axis = reader.attributes.get("axis", -1 if graph.opset >= _SOFTMAX_OF_ONE_AXIS else 1)
        # Of a convolution, the last axis is no channel.
        last = (axis == -1 and node.kind != "Conv") or (axis == 1 and node.kind == "Gemm")
        return "softmax" if last else None
    return ACTIVATIONS.get(reader.kind)


def vector(constant: NDArray[Any], length: int) -> NDArray[np.float32]:
    """Return a constant that is one value a channel, or one for all, as a vector."""
    return np.broadcast_to(np.asarray(constant, np.float32).reshape(-1), (length,))
