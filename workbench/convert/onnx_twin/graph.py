"""What the translation needs to know of an ONNX graph: nodes in order, constants, who reads what."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_OURS = ("", "ai.onnx")
_FLOAT = 1
_LONGEST_REASON = 200
_MOST_ZEROS = 64
# Stands for the free batch axis where a graph calculates with shapes: no product of real lengths is it.
BATCH = (1 << 40) + 15


@dataclass(frozen=True)
class Node:
    """One operator of the graph.

    Attributes:
        kind: Operator type, e.g. `Conv`.
        name: What the file calls it, or its output where it has no name.
        inputs: Names of tensors; nothing where an optional one is left out.
        output: Name of its one output.
        attributes: Plain values.
    """

    kind: str
    name: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Any]

    def no_twin(self, reason: str) -> BadInputError:
        """Return the error that says why it cannot be a Keras layer."""
        return BadInputError(f"node {self.name} ({self.kind}) has no tf_keras twin: {reason}; keep the model as onnx.")


class Graph:
    """An ONNX graph with one input and one output.

    Attributes:
        input: Name of the input.
        input_shape: Of one sample.
        batch: Fixed length of the batch axis; None where it is free.
        output: Name of the output.
        nodes: In the file's order, which is the order of calculation.
        constants: Values by name.
        opset: Version of the operator set.
    """

    def __init__(self, proto: Any) -> None:
        """Read a `ModelProto` whose weights are inside.

        Raises:
            BadInputError: It has several inputs or outputs, an open shape, or operators of other domains.
        """
        from onnx import numpy_helper

        graph = proto.graph
        self.opset = max((each.version for each in proto.opset_import if each.domain in _OURS), default=0)
        self.constants: dict[str, NDArray[Any]] = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
        given = _only("input", [each for each in graph.input if each.name not in self.constants])
        self.input, self.output = given.name, _only("output", graph.output).name
        self.input_shape, self.batch = _sample(given)
        self.nodes = [_node(each, proto) for each in graph.node]
        self._readers: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                self._readers.setdefault(name, []).append(node)
        self._reads = Counter([self.output, *(name for node in self.nodes for name in node.inputs)])
        # Before the first layer is made: a bias may be written down after the kernel that it belongs to.
        for node in self.nodes:
            self.fold(node, {})

    def only_reader(self, name: str) -> Node | None:
        """Return the node that alone reads a tensor, once; None where others or the caller read it."""
        readers = self._readers.get(name, ())
        return readers[0] if self._reads[name] == 1 and readers else None

    def fold(self, node: Node, shapes: dict[str, Sequence[int]]) -> bool:
        """Calculate a node's output if it depends on constants and shapes only, and say whether it did.

        Args:
            node: The next one.
            shapes: Of the tensors that are calculated from the input, `BATCH` for the free axis.
        """
        if node.output in self.constants:
            return True
        if node.kind == "Shape" and node.inputs[0] in shapes:
            whole = slice(node.attributes.get("start"), node.attributes.get("end"))
            self.constants[node.output] = np.asarray(shapes[node.inputs[0]][whole], np.int64)
            return True
        if node.kind not in FOLDED or any(name and name not in self.constants for name in node.inputs):
            return False
        if node.kind == "ConstantOfShape" and math.prod(self.constants[node.inputs[0]].tolist()) > _MOST_ZEROS:
            return False
        try:
            self.constants[node.output] = self._calculated(node)
        except Exception as error:
            reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
            raise node.no_twin(f"its constants cannot be calculated ({reason})") from error
        return True

    def _calculated(self, node: Node) -> NDArray[Any]:
        from onnx import helper
        from onnx.reference import ReferenceEvaluator

        needed = list(dict.fromkeys(filter(None, node.inputs)))
        made = helper.make_node(node.kind, list(node.inputs), [node.output], **node.attributes)
        values = [helper.make_value_info(name, helper.make_tensor_type_proto(_FLOAT, None)) for name in needed]
        result = helper.make_value_info(node.output, helper.make_tensor_type_proto(_FLOAT, None))
        model = helper.make_model(
            helper.make_graph([made], "constant", values, [result]),
            opset_imports=[helper.make_opsetid("", self.opset)],
        )
        (value,) = ReferenceEvaluator(model).run(None, {name: self.constants[name] for name in needed})
        return np.asarray(value)


# What exporters leave of calculations with shapes and of weights that are turned first.
# None makes more of less, as `Expand` would: `BATCH` is not meant as a length. The one that does is held short.
FOLDED = (
    "Add", "Cast", "Concat", "Constant", "ConstantOfShape", "Div", "Equal", "Gather", "Identity", "Mul", "Reshape",
    "Shape", "Slice", "Squeeze", "Sub", "Transpose", "Unsqueeze", "Where",
)  # fmt: skip


def _only(what: str, found: Sequence[Any]) -> Any:
    if len(found) != 1:
        raise BadInputError.of("model", rule=f"must have one {what}", got=[each.name for each in found])
    return found[0]


def _sample(value: Any) -> tuple[tuple[int, ...], int | None]:
    tensor = value.type.tensor_type
    if tensor.elem_type != _FLOAT:
        raise BadInputError.of("model", rule="must take float32 to have a tf_keras twin", got=f"input {value.name}")
    lengths = [axis.dim_value or None for axis in tensor.shape.dim]
    if len(lengths) < 2 or None in lengths[1:]:  # noqa: PLR2004 - batch and one more
        raise BadInputError.of(
            "model", rule="must have an input whose axes are fixed, but for the batch", got=f"{value.name} {lengths}",
            hint="export it with the shape of your samples",
        )  # fmt: skip
    return tuple(int(axis or 0) for axis in lengths[1:]), lengths[0]


def _node(proto: Any, model: Any) -> Node:
    from onnx import helper

    outputs = [name for name in proto.output if name]
    label = proto.name or next(iter(outputs), "") or "without a name"
    attributes = {each.name: _plain(helper.get_attribute_value(each)) for each in proto.attribute}
    node = Node(proto.op_type, label, tuple(proto.input), outputs[0] if outputs else "", attributes)
    if proto.domain not in _OURS:
        raise node.no_twin(f"it is an operator of {proto.domain}")
    read = {name for each in model.graph.node for name in each.input}
    if len(outputs) != 1 and not read.isdisjoint(outputs[1:]):
        raise node.no_twin("more than its first output is used")
    return node


def _plain(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value
