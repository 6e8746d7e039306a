"""What a SavedModel calculates when `serving_default` is asked, as one flat list of TensorFlow's operations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError
from workbench.evaluate.graphs.protobuf import Message

if TYPE_CHECKING:
    from collections.abc import Iterable

_META_GRAPH, _GRAPH, _SIGNATURES = 2, 2, 5
_NODES, _LIBRARY = 1, 2
_DEEPEST = 32
_PAIR = 2  # the variable and its value
_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
_MOST_NODES = 200_000
_CALLS = ("StatefulPartitionedCall", "PartitionedCall")
_DTYPES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 7: "string", 9: "int64", 10: "bool",
    14: "bfloat16", 19: "float16",
}  # fmt: skip


@dataclass
class Call:
    """One operation.

    Attributes:
        name: Its name, after that of the functions that it was called in.
        operator: TensorFlow's name of it.
        inputs: Names of operations, `name` or `name:output`, whose results it takes.
        attributes: Its `AttrValue` messages.
    """

    name: str
    operator: str
    inputs: list[str]
    attributes: dict[str, Message]


@dataclass
class SavedGraph:
    """The operations behind a signature.

    Attributes:
        calls: In any order.
        inputs: Name, tensor, shape and type of each of the signature's inputs.
        outputs: The same of its outputs.
        variables: Place of a variable in the checkpoint, by the name of its operation.
    """

    calls: list[Call] = field(default_factory=list)
    inputs: list[tuple[str, str, Message]] = field(default_factory=list)
    outputs: list[tuple[str, str, Message]] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)


def read_saved_graph(data: bytes) -> SavedGraph:
    """Read `saved_model.pb`.

    Raises:
        BadInputError: It has no signature `serving_default`.
        ValueError: It is no SavedModel.
    """
    meta = Message(data).message(_META_GRAPH)
    signature = meta.mapped(_SIGNATURES).get("serving_default")
    if signature is None:
        raise BadInputError.of(
            "saved_model.pb", rule="must have the signature serving_default to be compared",
            got=", ".join(sorted(meta.mapped(_SIGNATURES))) or "none", hint="convert it to onnx and compare that",
        )  # fmt: skip
    graph = meta.message(_GRAPH)
    functions = {each.message(1).text(1): each for each in graph.message(_LIBRARY).messages(1)}
    found = SavedGraph()
    tensors: dict[str, str] = {}
    for node in graph.messages(_NODES):
        _add(node, "", tensors, functions, found, _DEEPEST)
    for specs, target in ((signature.mapped(1), found.inputs), (signature.mapped(2), found.outputs)):
        for name in sorted(specs):
            tensor = specs[name].text(1)
            plain = tensor.removesuffix(":0")
            target.append((name, tensors.get(tensor, tensors.get(plain, plain)), specs[name]))
    found.variables = _variables(found)
    return found


def _add(
    node: Message, scope: str, tensors: dict[str, str], functions: dict[str, Message], found: SavedGraph, depth: int
) -> None:
    """Add an operation, or all of the function that it calls; `tensors` says what the names around it mean."""
    name, operator, attributes = scope + node.text(1), node.text(2), node.mapped(5)
    inputs = [_meant(each, scope, tensors) for each in node.texts(3) if not each.startswith("^")]
    function = functions.get(attributes["f"].message(10).text(1)) if operator in _CALLS and "f" in attributes else None
    if len(found.calls) > _MOST_NODES or not depth:
        raise ValueError("it has too many operations")
    if function is None:
        found.calls.append(Call(name, operator, inputs, attributes))
        return
    results = _called(function, f"{name}/", inputs, functions, found, depth - 1)
    for number, (output, tensor) in enumerate(results):
        tensors[f"{name}:{output}:0"] = tensors[f"{name}:{number}"] = tensor
        if not number:
            tensors[name] = tensor


def _called(
    function: Message, scope: str, given: list[str], functions: dict[str, Message], found: SavedGraph, depth: int
) -> list[tuple[str, str]]:
    signature = function.message(1)
    arguments = [each.text(1) for each in signature.messages(2)]
    tensors = {f"{scope}{argument}": tensor for argument, tensor in zip(arguments, given, strict=False)}
    for node in function.messages(3):
        _add(node, scope, tensors, functions, found, depth)
    results = {entry.text(1): entry.text(2) for entry in function.messages(4)}
    outputs = [each.text(1) for each in signature.messages(3)]
    return [(output, _meant(results.get(output, ""), scope, tensors)) for output in outputs]


def _meant(name: str, scope: str, tensors: dict[str, str]) -> str:
    """Return the operation whose result a name means, and which of its results unless it is the first.

    A function's body writes `node:output:number`, a graph `node:number`.
    """
    full = f"{scope}{name}"
    if full in tensors:
        return tensors[full]
    node, *rest = full.split(":")
    if node in tensors:
        return tensors[node]
    return node if not rest or rest[-1] == "0" else f"{node}:{rest[-1]}"


def _variables(found: SavedGraph) -> dict[str, str]:
    """Return where each variable is in the checkpoint, as the operations that restore it say."""
    calls = {call.name: call for call in found.calls}
    places: dict[str, str] = {}
    for call in found.calls:
        if call.operator != "AssignVariableOp" or len(call.inputs) < _PAIR:
            continue
        source = call.inputs[1]
        for _ in range(_DEEPEST):
            if source in calls and calls[source].operator == "Identity" and calls[source].inputs:
                source = calls[source].inputs[0]
        restored, _, number = source.partition(":")
        if restored in calls and calls[restored].operator == "RestoreV2":
            keys = _keys(calls, calls[restored])
            place = int(number or 0)
            if place < len(keys):
                places[call.inputs[0]] = keys[place].removesuffix(_SUFFIX)
    return places


def _keys(calls: dict[str, Call], restore: Call) -> list[str]:
    named = calls.get(restore.inputs[1]) if len(restore.inputs) > 1 else None
    return named.attributes["value"].message(8).texts(8) if named is not None and "value" in named.attributes else []


def axes_of(shape: Message) -> tuple[int | None, ...] | None:
    """Return a `TensorShapeProto` as axes, None where one is open; None for one that says nothing."""
    if shape.number(3):
        return None
    sizes: Iterable[Any] = (axis.numbers(1) for axis in shape.messages(2))
    return tuple(None if size and size[0] < 0 else size[0] if size else 0 for size in sizes)


def dtype_of(number: int) -> str:
    """Return a `DataType` as NumPy calls it."""
    return _DTYPES.get(number, "")
