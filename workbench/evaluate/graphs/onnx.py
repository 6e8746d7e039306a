"""Graphs of `.onnx` files."""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.evaluate.graphs.base import GraphNode, GraphReader, GraphTensor, ModelGraph, in_order
from workbench.evaluate.graphs.onnx_constants import Constants
from workbench.evaluate.graphs.onnx_node import OnnxNode
from workbench.evaluate.graphs.onnx_operators import operations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workbench.evaluate.graphs.base import Axes

_LARGEST_SHAPE = 64
_SPLIT = re.compile(r"[/;:.]")


class OnnxGraph(GraphReader):
    """Reads `.onnx`; constants behind DequantizeLinear, Transpose and the like count as weights of who takes them."""

    family: ClassVar[str] = "onnx"

    def read(self, path: Path) -> ModelGraph:
        """Read nodes, also those in the bodies of loops and branches, and what is constant.

        Raises:
            BadInputError: Its weights lie in other files.
        """
        import onnx

        model = onnx.load(path, load_external_data=False)
        graphs = list(_graphs(model.graph))
        protos = [node for graph in graphs for node in graph.node]
        constants = Constants([each for graph in graphs for each in graph.initializer], protos)
        tensors = _tensors(model)
        shapes = {name: each.shape for name, each in tensors.items() if each.shape is not None}
        around = _around(protos)
        version = next((each.version for each in model.opset_import if not each.domain), 1)
        nodes = [
            _node(proto, OnnxNode(proto, constants, shapes, around, version))
            for proto in protos
            if proto.op_type != "Constant"
        ]
        given = {each.name for each in model.graph.initializer}
        outputs = [each.name for each in model.graph.output]
        return ModelGraph(
            self.family,
            in_order(_named_apart(nodes), outputs),
            tensors,
            tuple(_tensor(each) for each in model.graph.input if each.name not in given),
            tuple(_tensor(each) for each in model.graph.output),
        )


def _graphs(graph: Any) -> Iterator[Any]:
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inside in (attribute.g, *attribute.graphs):
                if inside.node:
                    yield from _graphs(inside)


def _around(protos: list[Any]) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    makers: dict[str, Any] = {}
    takers: defaultdict[str, list[Any]] = defaultdict(list)
    for proto in protos:
        for name in proto.output:
            makers[name] = proto
        for name in proto.input:
            takers[name].append(proto)
    return makers, dict(takers)


def _node(proto: Any, node: OnnxNode) -> GraphNode:
    first, *others = operations(node)
    attributes, weights = node.rest()
    if node.constant_result:  # it counts where it is calculated with
        weights = ()
    outputs = tuple(name for name in proto.output if name)
    name = proto.name or (outputs[0] if outputs else proto.op_type)
    operator = proto.op_type if proto.domain in ("", "ai.onnx") else f"{proto.domain}.{proto.op_type}"
    path = frozenset(part for part in _SPLIT.split(name) if part and not part.isdigit())
    first = replace(first, weights=(*first.weights, *weights))
    return GraphNode(name, operator, (first, *others), node.carried(), outputs, attributes, path)


def _named_apart(nodes: list[GraphNode]) -> list[GraphNode]:
    seen: defaultdict[str, int] = defaultdict(int)
    apart = []
    for node in nodes:
        seen[node.name] += 1
        number = seen[node.name]
        apart.append(node if number == 1 else replace(node, name=f"{node.name}#{number}"))
    return apart


def _tensors(model: Any) -> dict[str, GraphTensor]:
    """Return what is known of the tensors between nodes; a graph that cannot be inferred tells what it holds."""
    import onnx

    light = _light(model)
    with contextlib.suppress(onnx.shape_inference.InferenceError, RuntimeError, ValueError):
        light = onnx.shape_inference.infer_shapes(light, data_prop=True)
    graph = light.graph
    return {each.name: _tensor(each) for each in (*graph.input, *graph.value_info, *graph.output)}


def _light(model: Any) -> Any:
    """Return the model without its weights, which inference would copy twice: only their shapes matter."""
    import onnx
    from onnx import helper

    light = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import, functions=model.functions)
    light.graph.name = "graph"
    light.graph.node.extend(model.graph.node)
    light.graph.input.extend(model.graph.input)
    light.graph.output.extend(model.graph.output)
    light.graph.value_info.extend(model.graph.value_info)
    named = {each.name for each in model.graph.input}
    for tensor in model.graph.initializer:
        size = 1
        for axis in tensor.dims:
            size *= axis
        if size <= _LARGEST_SHAPE:
            light.graph.initializer.append(tensor)
        elif tensor.name not in named:
            light.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    return light


def _tensor(value: Any) -> GraphTensor:
    kind = value.type.tensor_type
    shape: Axes | None = None
    if kind.HasField("shape"):
        shape = tuple(axis.dim_value if axis.HasField("dim_value") else None for axis in kind.shape.dim)
    return GraphTensor(value.name, shape, _dtype(kind.elem_type))


def _dtype(number: int) -> str:
    from onnx import TensorProto

    if number == TensorProto.FLOAT:
        return "float32"
    try:
        return str(TensorProto.DataType.Name(number)).lower() if number else ""
    except ValueError:
        return ""
