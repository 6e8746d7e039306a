"""What an ONNX model holds, looked at after it was parsed and before an engine sees it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from workbench.convert.incoming.values import require_finite
from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workbench.core.artifact import Numeric

# ORT's own operations besides the standard's; `ai.onnx` is another name for the domain without one.
_DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")
MOST_NODES = 100_000
LARGEST = 2 * 2**30 - 1  # a protocol buffer's own limit
_QUANTISED = ("QLinearConv", "QLinearMatMul", "QuantizeLinear")
_DYNAMIC = ("ConvInteger", "DynamicQuantizeLinear", "DynamicQuantizeMatMul", "MatMulInteger", "MatMulIntegerToFloat")
_FOUR_BITS = ("INT4", "UINT4", "FLOAT4E2M1")


def parse(path: Path) -> Any:
    """Return a file as a `ModelProto`, external data not followed.

    Raises:
        BadInputError: It is cut off or damaged, or larger than 2 GiB.
    """
    import onnx
    from google.protobuf.message import DecodeError

    size = path.stat().st_size
    if size > LARGEST:
        raise BadInputError.of(str(path), rule="must be smaller than 2 GiB, its external data too", got=f"{size} bytes")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError as error:
        reason = " ".join(str(error).split())
        raise BadInputError.of(
            str(path), rule="must be a whole ONNX file", got=f"{size} bytes: {reason}",
            hint="it may be truncated; copy or save it again",
        ) from error  # fmt: skip
    return model


def graphs_in(model: Any) -> Iterator[Any]:
    """Give every graph and function of a model, those inside of nodes too."""
    waiting = [model.graph, *model.functions]
    for training in model.training_info:
        waiting += [training.initialization, training.algorithm]
    while waiting:
        graph = waiting.pop()
        yield graph
        for _, attribute in _attributes_in(graph):
            waiting.extend(attribute.graphs)
            if attribute.HasField("g"):
                waiting.append(attribute.g)


def tensors_in(model: Any) -> Iterator[tuple[str, Any]]:
    """Give every constant tensor of a model with a name for people."""
    for graph in graphs_in(model):
        for tensor in getattr(graph, "initializer", ()):
            yield tensor.name, tensor
        for sparse in getattr(graph, "sparse_initializer", ()):
            yield sparse.values.name, sparse.values
            yield f"{sparse.values.name}:indices", sparse.indices
        for name, attribute in _attributes_in(graph):
            sparses = (*attribute.sparse_tensors, attribute.sparse_tensor)
            dense = [*attribute.tensors, *(part for each in sparses for part in (each.values, each.indices))]
            yield from ((name, each) for each in (attribute.t, *dense) if each.ByteSize())


def _attributes_in(graph: Any) -> Iterator[tuple[str, Any]]:
    """Give the attributes of a graph's nodes, named for what a node makes, and a function's own ones."""
    for node in graph.node:
        name = next(iter(node.output), "") or node.name
        yield from ((name, attribute) for attribute in node.attribute)
    yield from ((attribute.name, attribute) for attribute in getattr(graph, "attribute_proto", ()))


def require_known(model: Any, path: Path) -> None:
    """Refuse a model that the standard or the engine that is installed here is too old for, or that asks for more.

    Raises:
        BadInputError: Naming the version, or the operation.
    """
    import onnx

    if not 1 <= model.ir_version <= onnx.IR_VERSION:
        raise BadInputError.of(
            str(path), rule=f"must have an IR version from 1 to {onnx.IR_VERSION}", got=model.ir_version,
            hint="export it with an older version of the tool that made it",
        )  # fmt: skip
    standard = max((each.version for each in model.opset_import if each.domain in _DOMAINS[:2]), default=0)
    newest = onnx.defs.onnx_opset_version()
    if not 1 <= standard <= newest:
        raise BadInputError.of(
            str(path), rule=f"must have an opset from 1 to {newest}", got=standard, hint="export it with an older one"
        )
    ours = {(each.domain, each.name) for each in model.functions}
    nodes = 0
    for graph in graphs_in(model):
        nodes += len(graph.node)
        if nodes > MOST_NODES:
            raise BadInputError.of(str(path), rule=f"must have at most {MOST_NODES:,} nodes", got=nodes)
        for node in graph.node:
            if node.domain not in _DOMAINS and (node.domain, node.op_type) not in ours:
                raise BadInputError.of(
                    str(path), rule="must have operations of the standard or of ONNX Runtime only",
                    got=f"{node.domain}:{node.op_type}", hint="a custom operation is code that the file does not hold",
                )  # fmt: skip


def require_sound_values(model: Any, path: Path) -> None:
    """Refuse tensors that claim more than they hold, and weights that are no numbers.

    Raises:
        BadInputError: Naming the tensor.
    """
    import onnx

    floats = {getattr(onnx.TensorProto, name) for name in ("FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16")}
    for name, tensor in tensors_in(model):
        claimed = _claimed_bytes(tensor)
        if claimed is None or (tensor.HasField("raw_data") and claimed != len(tensor.raw_data)):
            shape = list(tensor.dims)
            raise BadInputError.of(
                str(path), rule="must hold the values that its tensors claim",
                got=f"{name} of shape {shape} in {len(tensor.raw_data)} bytes", hint="it is damaged; save it again",
            )  # fmt: skip
        if tensor.data_type in floats:
            try:
                values = onnx.numpy_helper.to_array(tensor)
            except (ValueError, TypeError) as error:
                raise BadInputError.of(
                    str(path), rule="must hold the values that its tensors claim", got=f"{name}: {error}"
                ) from error
            require_finite(path, name, values)


def require_one_in_one_out(model: Any, path: Path) -> None:
    """Refuse a model with several inputs or outputs, or with ones that are no tensors of numbers.

    Raises:
        BadInputError: Naming them.
    """
    import onnx

    constants = {tensor.name for tensor in model.graph.initializer}
    sides = {
        "input": [each for each in model.graph.input if each.name not in constants],
        "output": list(model.graph.output),
    }
    for side, found in sides.items():
        if len(found) != 1:
            raise BadInputError.of(
                str(path), rule=f"must have one {side}", got=[each.name for each in found],
                hint="export a model of one tensor in and one out",
            )  # fmt: skip
        kind = found[0].type
        if kind.WhichOneof("value") != "tensor_type" or kind.tensor_type.elem_type == onnx.TensorProto.STRING:
            raise BadInputError.of(
                str(path), rule=f"must have numbers as {side}", got=f"{found[0].name} of another kind"
            )


def numeric_of(model: Any) -> Numeric:
    """Tell the numeric type from the operations and the types of the weights, as best the file tells."""
    import onnx

    operations = {node.op_type for graph in graphs_in(model) for node in graph.node}
    types = [tensor.data_type for _, tensor in tensors_in(model) if math.prod(tensor.dims) > 1]
    if "MatMulNBits" in operations or any(_type_name(each) in _FOUR_BITS for each in types):
        return "int4"
    if operations.intersection(_DYNAMIC):
        return "dynamic"
    if operations.intersection(_QUANTISED):
        return "int8"
    if "DequantizeLinear" in operations:
        return "dynamic"  # weights alone are integers
    halves = (onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)
    return "float16" if any(each in halves for each in types) else "float32"


def _type_name(data_type: int) -> str:
    import onnx

    known: dict[int, str] = {number: name for name, number in onnx.TensorProto.DataType.items()}
    return known.get(data_type, "UNDEFINED")


def _claimed_bytes(tensor: Any) -> int | None:
    """Return how many bytes a tensor's shape and type ask for; None where they are no shape or type."""
    import onnx

    name = _type_name(tensor.data_type)
    if name == "UNDEFINED" or any(axis < 0 for axis in tensor.dims):
        return None
    elements = math.prod(int(axis) for axis in tensor.dims)
    if name in _FOUR_BITS:
        return (elements + 1) // 2
    if name in ("INT2", "UINT2"):
        return (elements + 3) // 4
    if name == "STRING":
        return 0
    return elements * int(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize)
