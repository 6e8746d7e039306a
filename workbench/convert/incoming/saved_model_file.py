"""What a SavedModel holds, read from its protocol buffer; nothing of it is given to TensorFlow's executor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.convert.incoming.saved_model_ops import CALCULATING, RESTORING, SAVING
from workbench.convert.incoming.values import require_finite
from workbench.core.errors import BadInputError, UntrustedModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FILE = "saved_model.pb"
DEFAULT = "serving_default"
_INITIALISER = "__saved_model_init_op"
_MOST_NODES = 200_000
LARGEST = 2 * 2**30 - 1
_FLOATS = {1: np.float32, 2: np.float64, 19: np.float16}


@dataclass(frozen=True)
class Signature:
    """A way to call the model: tensors by name."""

    name: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]


def parse(folder: Path) -> Any:
    """Return the one graph of a SavedModel as a `MetaGraphDef`.

    Raises:
        BadInputError: The file is damaged or too large, or holds several graphs.
    """
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    path = folder / FILE
    size = path.stat().st_size
    if size > LARGEST:
        raise BadInputError.of(str(folder), rule="must have a saved_model.pb under 2 GiB", got=f"{size} bytes")
    found = saved_model_pb2.SavedModel()
    try:
        found.ParseFromString(path.read_bytes())
    except DecodeError as error:
        reason = " ".join(str(error).split())
        raise BadInputError.of(
            str(folder), rule="must have a whole saved_model.pb", got=f"{size} bytes: {reason}",
            hint="it may be truncated; copy or save it again",
        ) from error  # fmt: skip
    if len(found.meta_graphs) != 1:
        tags = [" ".join(each.meta_info_def.tags) for each in found.meta_graphs]
        raise BadInputError.of(str(folder), rule="must hold one graph", got=tags, hint="save the serving one alone")
    return found.meta_graphs[0]


def signatures_of(meta: Any) -> dict[str, Signature]:
    """Return the signatures that people call."""
    return {
        name: Signature(name, dict(each.inputs), dict(each.outputs))
        for name, each in meta.signature_def.items()
        if name != _INITIALISER
    }


def require_harmless(meta: Any, folder: Path, *, trust: bool) -> None:
    """Refuse operations that do more than calculate, wherever in the file they are.

    What saves and restores variables is let pass where nothing but the saver leads to it.

    Raises:
        UntrustedModelError: Naming the operation and where it is.
        BadInputError: It is of no TensorFlow, or there are too many.
    """
    graph = _Library(meta)
    if graph.size > _MOST_NODES:
        raise BadInputError.of(str(folder), rule=f"must have at most {_MOST_NODES:,} operations", got=graph.size)
    signatures = meta.signature_def.values()
    wanted = [tensor.name for each in signatures for side in (each.inputs, each.outputs) for tensor in side.values()]
    wanted += [name for key in ("saved_model_main_op", "legacy_init_op") for name in _collection(meta, key)]
    called = meta.object_graph_def.concrete_functions
    graph.require_known(folder)
    if trust:
        return
    graph.require(folder, graph.reached(wanted, called), CALCULATING)
    graph.require(folder, graph.reached([meta.saver_def.restore_op_name], ()), CALCULATING | RESTORING)
    graph.require(folder, graph.everything(), CALCULATING | RESTORING | SAVING)


def require_sound_values(meta: Any, folder: Path) -> None:
    """Refuse constants that are no numbers.

    Raises:
        BadInputError: Naming the constant.
    """
    for place, node in _Library(meta).everything():
        tensor = node.attr["value"].tensor if node.op == "Const" else None
        if tensor is None or tensor.dtype not in _FLOATS:
            continue
        dtype = _FLOATS[tensor.dtype]
        if len(tensor.tensor_content) % np.dtype(dtype).itemsize:
            raise BadInputError.of(str(folder), rule="must hold whole constants", got=node.name)
        stored = np.frombuffer(tensor.tensor_content, dtype)
        listed = np.asarray([*tensor.float_val, *tensor.double_val], np.float64)
        halves = np.asarray(tensor.half_val, np.uint16).view(np.float16)
        for values in (stored, listed, halves):
            require_finite(folder, f"{place}{node.name}", values)


def _collection(meta: Any, key: str) -> list[str]:
    return list(meta.collection_def[key].node_list.value) if key in meta.collection_def else []


Placed = tuple[str, Any]


class _Library:
    """The nodes of a graph and of its functions, and what leads to what."""

    def __init__(self, meta: Any) -> None:
        self._nodes = {node.name: node for node in meta.graph_def.node}
        self._functions = {each.signature.name: list(each.node_def) for each in meta.graph_def.library.function}
        self.size = len(self._nodes) + sum(map(len, self._functions.values()))

    def everything(self) -> Iterator[Placed]:
        """Give every node with where it is."""
        yield from (("", node) for node in self._nodes.values())
        for name, nodes in self._functions.items():
            yield from ((f"{name}/", node) for node in nodes)

    def reached(self, nodes: Iterable[str], functions: Iterable[str]) -> Iterator[Placed]:
        """Give every node that calculating these nodes, or calling these functions, can lead to."""
        waiting, seen = [_node_name(each) for each in nodes], set()
        calls, called = list(functions), set()
        while waiting or calls:
            if waiting:
                name = waiting.pop()
                node = self._nodes.get(name)
                if node is None or name in seen:
                    continue
                seen.add(name)
                yield "", node
                waiting += [_node_name(each) for each in node.input]
                calls += self._called_by(node)
                continue
            function = calls.pop()
            if function in called:
                continue
            called.add(function)
            for node in self._functions.get(function, ()):
                yield f"{function}/", node
                calls += self._called_by(node)

    def require_known(self, folder: Path) -> None:
        """Refuse operations that TensorFlow itself does not have."""
        from tensorflow.python.framework import op_def_registry

        for place, node in self.everything():
            if node.op not in self._functions and op_def_registry.get(node.op) is None:
                raise BadInputError.of(
                    str(folder), rule="must have operations of TensorFlow only", got=f"{node.op} in {place}{node.name}",
                    hint="a custom operation is code that the file does not hold",
                )  # fmt: skip

    def require(self, folder: Path, nodes: Iterable[Placed], allowed: frozenset[str]) -> None:
        """Refuse nodes of other operations."""
        for place, node in nodes:
            if node.op not in allowed and node.op not in self._functions:
                raise UntrustedModelError(
                    f"{folder} has the operation {node.op} in {place}{node.name}, which can do more than "
                    "calculate, such as read or write files; if you know who made it, adopt it with trust=True."
                )

    def _called_by(self, node: Any) -> list[str]:
        found = [node.op] if node.op in self._functions else []
        for attribute in node.attr.values():
            found += [each.name for each in (attribute.func, *attribute.list.func) if each.name]
        return found


def _node_name(tensor: str) -> str:
    return tensor.removeprefix("^").split(":")[0]
