"""What all graph readers have in common: one description of a graph, whatever file it came from.

A file's node is made of one or several operations: a Keras layer with an activation is `conv2d, bias, relu`, in ONNX
these are two nodes, in TFLite one. Operations have the same names, attributes and weight layout in every format.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from workbench.core.plugins import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

Axes = tuple[int | None, ...]


class GraphTensor(NamedTuple):
    """A tensor between nodes, or an input or output of the model.

    Attributes:
        name: What the file calls it.
        shape: Its axes, None where one is free; None where the file does not say.
        dtype: As NumPy calls it; empty where the file does not say.
    """

    name: str
    shape: Axes | None
    dtype: str


@dataclass(frozen=True, eq=False)
class Weight:
    """One constant that an operation calculates with.

    Attributes:
        name: What the file calls it.
        role: `kernel`, `bias`, `gamma`, …
        stored: As the file has it, in its own layout.
        values: What that means: float, scaled back where quantised, output channels first (O, I, …).
        step: Width of a quantisation step, broadcasts to `values`; None where floats are stored.
        bits: Bits of a stored element.
    """

    name: str
    role: str
    stored: NDArray[np.generic]
    values: NDArray[np.floating[Any]]
    step: NDArray[np.floating[Any]] | None = None
    bits: int = 0

    @cached_property
    def digest(self) -> bytes:
        """Equal where shape and values are, in any format."""
        # -0.0 and 0.0 are the same number with other bytes.
        content = np.ascontiguousarray(self.values, np.float32) + np.float32(0)
        return hashlib.blake2b(content.tobytes(), key=repr(self.values.shape).encode()[:64], digest_size=16).digest()

    @property
    def bytes(self) -> int:
        """Bytes of the stored values."""
        return (self.stored.size * (self.bits or 8 * self.stored.dtype.itemsize) + 7) // 8


@dataclass(frozen=True, eq=False)
class Operation:
    """One step of the calculation, named as in every format.

    Attributes:
        kind: `conv2d`, `dense`, `relu`, …; `other` where nothing here knows it.
        attributes: What changes its result, comparable across formats.
        weights: Its constants.
    """

    kind: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    weights: tuple[Weight, ...] = ()

    def weight(self, role: str) -> Weight | None:
        """Return the constant of a role, where there is one."""
        return next((each for each in self.weights if each.role == role), None)


@dataclass(frozen=True, eq=False)
class GraphNode:
    """One node as the file has it.

    Attributes:
        name: Unique in its graph.
        operator: In the file's own words: `Conv`, `CONV_2D`, `Conv2D`.
        operations: What it calculates, in order; never empty.
        inputs: Names of the tensors it takes, without its constants.
        outputs: Names of the tensors it gives.
        attributes: Whatever else the file says of it, comparable within the format only.
        path: The name's parts, where layers of other formats can be found again.
    """

    name: str
    operator: str
    operations: tuple[Operation, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    path: frozenset[str] = frozenset()

    @property
    def kind(self) -> str:
        """Kind of its first operation."""
        return self.operations[0].kind


@dataclass(frozen=True, eq=False)
class ModelGraph:
    """A model's graph.

    Attributes:
        family: Formats with the same operators and attributes: `onnx`, `tflite`, `keras`, `tensorflow`.
        nodes: Each after the nodes it takes tensors from.
        tensors: By name.
        inputs: The model's inputs.
        outputs: The model's outputs.
    """

    family: str
    nodes: tuple[GraphNode, ...]
    tensors: Mapping[str, GraphTensor]
    inputs: tuple[GraphTensor, ...]
    outputs: tuple[GraphTensor, ...]

    def weights(self) -> Iterator[Weight]:
        """Give each stored constant once, also where several operations share it."""
        seen = set()
        for node in self.nodes:
            for weight in (weight for operation in node.operations for weight in operation.weights):
                place = weight.name, weight.stored.__array_interface__["data"][0]
                if place not in seen:
                    seen.add(place)
                    yield weight


class GraphReader(ABC):
    """Reads one format."""

    family: ClassVar[str]

    @abstractmethod
    def read(self, path: Path) -> ModelGraph:
        """Read the graph of a file that its manifest vouches for."""


readers: Registry[GraphReader] = Registry(
    "graph_readers",
    "workbench.evaluate.graphs",
    GraphReader,  # type: ignore[type-abstract]
)


def in_order(nodes: list[GraphNode], outputs: list[str]) -> tuple[GraphNode, ...]:
    """Order nodes by their tensors alone, so that two files of one graph agree; what no output needs comes last.

    Args:
        nodes: In any order.
        outputs: Names of the model's output tensors.
    """
    makers = {tensor: node for node in reversed(nodes) for tensor in node.outputs}
    ordered: dict[int, GraphNode] = {}
    begun: set[int] = set()
    stack = [makers[name] for name in reversed(outputs) if name in makers]
    stack = [*reversed(nodes), *stack]
    while stack:
        node = stack.pop()
        if id(node) in ordered:
            continue
        waiting = [makers[name] for name in node.inputs if name in makers and id(makers[name]) not in begun]
        if id(node) in begun or not waiting:
            ordered[id(node)] = node
        else:
            stack.append(node)
            stack.extend(reversed(waiting))
        begun.add(id(node))
    return tuple(ordered.values())
