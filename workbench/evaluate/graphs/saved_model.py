"""Graphs of SavedModel directories, read without TensorFlow."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from workbench.evaluate.graphs.base import GraphNode, GraphReader, GraphTensor, ModelGraph, in_order
from workbench.evaluate.graphs.kinds import rounded
from workbench.evaluate.graphs.saved_model_file import axes_of, dtype_of, read_saved_graph
from workbench.evaluate.graphs.tensorflow_constants import CALCULATED, calculated
from workbench.evaluate.graphs.tensorflow_operators import operations
from workbench.evaluate.tensors.saved_model import SavedModelTensors

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from workbench.evaluate.graphs.protobuf import Message
    from workbench.evaluate.graphs.saved_model_file import Call, SavedGraph

# They hold, read or pass on numbers, or only order what happens.
_SILENT = ("NoOp", "VarHandleOp", "Placeholder", "Const", "ReadVariableOp", "Identity", "StopGradient")
_PASSING = ("Identity", "ReadVariableOp", "StopGradient")
_MOST_STEPS = 64
_CALLED = re.compile(r"^(?:(?:Stateful)?PartitionedCall(?:_\d+)?/)+")
_LONGEST_LISTED = 16
# What the operations tell.
_SAID = ("strides", "padding", "dilations", "ksize", "epsilon", "transpose_b", "alpha", "value")


class SavedModelGraph(GraphReader):
    """Reads what `serving_default` calculates, its functions laid open, with the variables of the checkpoint."""

    family: ClassVar[str] = "tensorflow"

    def read(self, path: Path) -> ModelGraph:
        """Read operations and variables.

        Raises:
            BadInputError: There is no signature `serving_default`, or the checkpoint's index is damaged.
        """
        saved = read_saved_graph((path / "saved_model.pb").read_bytes())
        stored = {each.name: np.asarray(each.values) for each in SavedModelTensors().read(path)}
        around = _Around(saved, stored)
        outputs = [around.behind(tensor) for _, tensor, _ in saved.outputs]
        nodes = _named_apart(around.needed(outputs))
        inputs = tuple(_described(name, spec) for name, _, spec in saved.inputs)
        return ModelGraph(
            self.family,
            in_order(nodes, outputs),
            {each.name: each for each in inputs},
            inputs,
            tuple(_described(name, spec) for name, _, spec in saved.outputs),
        )


@dataclass
class _Around:
    saved: SavedGraph
    stored: dict[str, NDArray[Any]]

    def __post_init__(self) -> None:
        self._calls = {call.name: call for call in self.saved.calls}
        self._known: dict[str, tuple[str, NDArray[Any]] | None] = {}

    def behind(self, tensor: str) -> str:
        """Return the tensor that one is only handed on from."""
        for _ in range(_MOST_STEPS):
            call = self._calls.get(tensor)
            if call is None or call.operator not in _PASSING or not call.inputs:
                return tensor
            tensor = call.inputs[0]
        return tensor

    def constant(self, tensor: str) -> tuple[str, NDArray[Any]] | None:
        """Return a constant or a variable's value; None for what depends on the input."""
        tensor = self.behind(tensor)
        if tensor not in self._known:
            self._known[tensor] = None  # a damaged file can hold a circle
            self._known[tensor] = self._read(tensor)
        return self._known[tensor]

    def needed(self, outputs: list[str]) -> list[GraphNode]:
        """Return what the outputs depend on: a file also holds what saves and restores it."""
        found: dict[str, GraphNode] = {}
        waiting = list(outputs)
        while waiting:
            call = self._calls.get(waiting.pop().partition(":")[0])
            if call is not None and call.name not in found and call.operator not in _SILENT:
                found[call.name] = self.node(call)
                waiting += found[call.name].inputs
        return [found[call.name] for call in self.saved.calls if call.name in found]

    def node(self, call: Call) -> GraphNode:
        """Return an operation as a node."""
        constants = [self.constant(tensor) for tensor in call.inputs]
        inputs = (self.behind(name) for name, held in zip(call.inputs, constants, strict=True) if held is None)
        name = _CALLED.sub("", call.name)
        path = frozenset(part for part in name.split("/") if part and not part.isdigit())
        found = operations(call.operator, call.attributes, constants)
        # Other outputs than the first are the same node's.
        taken = tuple(tensor.partition(":")[0] for tensor in inputs)
        return GraphNode(name, call.operator, found, taken, (call.name,), _rest(call, constants), path)

    def _read(self, tensor: str) -> tuple[str, NDArray[Any]] | None:
        call = self._calls.get(tensor)
        if call is None:
            return None
        if call.operator == "Const" and "value" in call.attributes:
            values = _held(call.attributes["value"].message(8))
            return None if values is None else (call.name, values)
        if call.operator in CALCULATED:
            given = [self.constant(name) for name in call.inputs]
            values = calculated(call.operator, call.attributes, [held[1] for held in given if held is not None])
            return None if values is None or None in given else (call.name, values)
        if call.operator != "VarHandleOp":
            return None
        name = call.attributes["shared_name"].text(2) if "shared_name" in call.attributes else call.name
        place = self.saved.variables.get(call.name, "")
        return (name, self.stored[place]) if place in self.stored else None


def _rest(call: Call, constants: list[tuple[str, NDArray[Any]] | None]) -> dict[str, Any]:
    """Return an operation's settings and short constants."""
    found: dict[str, Any] = {}
    for name, value in call.attributes.items():
        if name.startswith("_") or name in _SAID:
            continue
        if value.has(2):
            found[name] = value.text(2)
        elif value.has(4):
            found[name] = rounded(value.real(4))
        elif value.has(3) or value.has(5):
            found[name] = value.number(3) or value.number(5)
        elif value.has(1):
            found[name] = tuple(value.message(1).numbers(3))
    for index, held in enumerate(constants):
        if held is not None and held[1].size <= _LONGEST_LISTED and held[1].dtype.kind in "biu":
            found[f"input {index}"] = tuple(held[1].ravel().tolist())
    return found


def _held(tensor: Message) -> NDArray[Any] | None:
    """Return the values of a `TensorProto`; None where they are text."""
    dtype, shape = dtype_of(tensor.number(1)), axes_of(tensor.message(2))
    if dtype in ("", "string", "bfloat16") or shape is None:
        return None
    content = tensor.content(4)
    size = int(np.prod([axis or 0 for axis in shape]))
    if content:
        return np.frombuffer(content, dtype)[:size].reshape([axis or 0 for axis in shape])
    values: Any = tensor.numbers(7) or tensor.numbers(10) or [tensor.real(5)]
    if size > 1 << 20:
        return None
    # A value that all elements have is written once.
    filled = [*values, *[values[-1]] * (size - len(values))][:size]
    return np.array(filled, dtype).reshape([axis or 0 for axis in shape])


def _named_apart(nodes: list[GraphNode]) -> list[GraphNode]:
    seen: Counter[str] = Counter()
    apart = []
    for node in nodes:
        seen[node.name] += 1
        apart.append(node if seen[node.name] == 1 else replace(node, name=f"{node.name}#{seen[node.name]}"))
    return apart


def _described(name: str, spec: Message) -> GraphTensor:
    return GraphTensor(name, axes_of(spec.message(3)), dtype_of(spec.number(2)))
