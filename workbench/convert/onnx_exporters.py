"""Programs that write a float32 ONNX model of a TensorFlow graph: tf2onnx itself, and Keras 3's own export."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.convert.source import OUTPUT

if TYPE_CHECKING:
    from workbench.convert.source import Graph

# tf2onnx knows 9 to 18; ONNX itself carries a model on to later ones.
_LATEST = 18
_BATCH = "batch"


def by_tf2onnx(graph: Graph, opset: int) -> Any:
    """Return the traced function as an `onnx.ModelProto`.

    From the function, since tf2onnx's Keras entry point does not know the models of Keras 3.
    """
    import tf2onnx

    model, _ = tf2onnx.convert.from_function(
        graph.function,
        input_signature=[graph.signature],
        opset=min(opset, _LATEST),
        custom_op_handlers={"Erfc": (_write_erfc, [])},
    )
    return _finished(model, opset)


def by_keras(graph: Graph, opset: int) -> Any:
    """Return what `model.export(format="onnx")` writes, as an `onnx.ModelProto`.

    Args:
        graph: Of a Keras 3 model.
        opset: Version of the operator set.
    """
    import onnx

    with tempfile.TemporaryDirectory(prefix="workbench-onnx-") as folder:
        path = Path(folder) / "model.onnx"
        graph.model.export(
            path, format="onnx", verbose=False, input_signature=[graph.signature], opset_version=min(opset, _LATEST)
        )
        model = onnx.load(path)
    _rename(model.graph, model.graph.input[0].name, graph.signature.name)
    _rename(model.graph, model.graph.output[0].name, OUTPUT)
    return _finished(model, opset)


def _finished(model: Any, opset: int) -> Any:
    """Name the batch axis, and bring the model to a later operator set where that is asked."""
    import onnx

    for value in (*model.graph.input, *model.graph.output):
        _free_batch(value)
    return onnx.version_converter.convert_version(model, opset) if opset > _LATEST else model


def _free_batch(value: Any) -> None:
    # tf2onnx numbers free axes (`unk__29`): one name says that input and output share theirs.
    axes = value.type.tensor_type.shape.dim
    if axes and not axes[0].dim_value:
        axes[0].dim_param = _BATCH


def _rename(graph: Any, old: str, new: str) -> None:
    """Give a tensor another name, in a graph and in those of its loops and branches."""
    for value in (*graph.input, *graph.output):
        value.name = new if value.name == old else value.name
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [new if name == old else name for name in names]
        for attribute in node.attribute:
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                _rename(inner, old, new)


def _write_erfc(context: Any, node: Any, name: str, _: Any) -> None:
    """Write 1 − erf(x) for TensorFlow's Erfc, which GELU needs and tf2onnx leaves as it is."""
    import numpy as np
    from tf2onnx.utils import make_name

    node.type = "Erf"
    one = context.make_const(make_name("one"), np.ones((), np.float32))
    (output,) = node.output
    difference = context.insert_new_node_on_output("Sub", output, name=make_name(name))
    context.replace_inputs(difference, [one.output[0], output])
