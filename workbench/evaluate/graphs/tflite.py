"""Graphs of `.tflite` files."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.evaluate.graphs.base import GraphNode, GraphReader, ModelGraph, in_order
from workbench.evaluate.graphs.tflite_node import TfliteNode
from workbench.evaluate.graphs.tflite_operators import operations
from workbench.evaluate.graphs.tflite_tensors import Tensors

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.evaluate.graphs.base import GraphTensor

_SPLIT = re.compile(r"[/;:]")


class TfliteGraph(GraphReader):
    """Reads `.tflite`; the bodies of loops and branches, subgraphs of their own, come after the main graph."""

    family: ClassVar[str] = "tflite"

    def read(self, path: Path) -> ModelGraph:
        """Read operators, fused activations, tensors and constant buffers."""
        from ai_edge_litert import schema_py_generated as schema

        model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
        types = _names(schema.TensorType)
        kinds = [_operator(code, _names(schema.BuiltinOperator)) for code in model.operatorCodes or ()]
        nodes: list[GraphNode] = []
        tensors: dict[str, GraphTensor] = {}
        main, *others = model.subgraphs
        for number, graph in enumerate((main, *others)):
            held = Tensors(graph, model.buffers, types, f"{number}:")
            nodes += _nodes(graph, kinds, held, {node.name for node in nodes})
            tensors |= {held.name(index): held.described(index) for index in range(len(graph.tensors))}
        inputs, outputs = ([f"0:{index}" for index in places] for places in (main.inputs, main.outputs))
        return ModelGraph(
            self.family,
            in_order(nodes, outputs),
            tensors,
            tuple(tensors[name] for name in inputs),
            tuple(tensors[name] for name in outputs),
        )


def _names(table: Any) -> dict[int, str]:
    return {value: name for name, value in vars(table).items() if not name.startswith("_")}


def _operator(code: Any, kinds: dict[int, str]) -> str:
    kind = kinds.get(max(code.builtinCode, code.deprecatedBuiltinCode), "UNKNOWN")
    return bytes(code.customCode).decode(errors="replace") if kind == "CUSTOM" and code.customCode else kind


def _nodes(graph: Any, kinds: list[str], tensors: Tensors, taken: set[str]) -> list[GraphNode]:
    tables = [(kinds[table.opcodeIndex], table) for table in graph.operators or ()]
    makers = {
        int(output): (kind, tuple(int(source) for source in (table.inputs if table.inputs is not None else ())))
        for kind, table in tables
        for output in (table.outputs if table.outputs is not None else ())
    }
    for kind, table in tables:
        if kind == "DEQUANTIZE" and tensors.constant(int(table.inputs[0])) is not None:
            tensors.dequantized(int(table.inputs[0]), int(table.outputs[0]))
    found = []
    for kind, table in tables:
        node = _node(TfliteNode(kind, table, tensors, makers), tensors)
        name, number = node.name, 1
        while node.name in taken:
            number += 1
            node = replace(node, name=f"{name}#{number}")
        taken.add(node.name)
        found.append(node)
    return found


def _node(node: TfliteNode, tensors: Tensors) -> GraphNode:
    first, *others = operations(node)
    attributes, weights = node.rest()
    constant = bool(node.outputs) and tensors.constant(node.outputs[0]) is not None
    if not constant:  # what is made of constants alone counts where it is calculated with
        first = replace(first, weights=(*first.weights, *weights))
    said = tensors.said(node.outputs[0]) if node.outputs else node.operator
    path = frozenset(part for part in _SPLIT.split(said) if part and not part.isdigit())
    attributes |= tensors.scale_of(node.outputs[0]) if node.outputs else {}
    return GraphNode(
        _shown(said) or node.operator,
        node.operator,
        (first, *others),
        node.carried(),
        tuple(tensors.name(index) for index in node.outputs),
        attributes,
        path,
    )


def _shown(said: str) -> str:
    """Shorten the name of a fused result, the names of all that went into it, to their layer or the last of them."""
    parts = said.split(";")
    if len(parts) == 1:
        return said
    shared = "/".join(_shared([part.split("/") for part in parts]))
    return shared if "/" in shared else parts[-1]


def _shared(paths: list[list[str]]) -> list[str]:
    return [steps[0] for steps in takewhile(lambda steps: len(set(steps)) == 1, zip(*paths, strict=False))]
