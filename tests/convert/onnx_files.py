"""ONNX models made by hand, good ones and ones that no exporter would write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

WEIGHTS = np.arange(8, dtype=np.float32).reshape(4, 2) / 8


def node(kind: str, inputs: Iterable[str] = ("x",), outputs: Iterable[str] = ("y",), **attributes: Any) -> Any:
    """Return a node."""
    return helper.make_node(kind, list(inputs), list(outputs), **attributes)


def value(name: str, axes: int = 4, kind: int = TensorProto.FLOAT) -> Any:
    """Return an input or output with a free batch."""
    return helper.make_tensor_value_info(name, kind, ["batch", axes])


def model(
    *nodes: Any,
    weights: dict[str, np.ndarray] | None = None,
    inputs: Iterable[Any] | None = None,
    outputs: Iterable[Any] | None = None,
    opset: int = 17,
    domains: tuple[str, ...] = (),
    functions: Iterable[Any] = (),
) -> Any:
    """Return a model; without nodes it is one layer of `WEIGHTS`, (batch, 4) to (batch, 2)."""
    if not nodes:
        nodes, weights = (node("MatMul", ["x", "weights"]),), {"weights": WEIGHTS} | (weights or {})
        outputs = outputs or [value("y", 2)]
    graph = helper.make_graph(
        nodes,
        "graph",
        list(inputs or [value("x")]),
        list(outputs or [value("y")]),
        [numpy_helper.from_array(values, name) for name, values in (weights or {}).items()],
    )
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(name, 1) for name in domains)]
    made = helper.make_model(graph, opset_imports=imports, functions=list(functions))
    made.ir_version = 9
    return made


def save(made: Any, folder: Path, name: str = "model.onnx") -> Path:
    """Write a model and return its file."""
    path = folder / name
    path.write_bytes(made.SerializeToString())
    return path


def with_external(folder: Path, location: str = "weights.bin", offset: int = 0, length: int = 32) -> Path:
    """Write a model whose weights are said to lie in another file, which is not written."""
    made = model()
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, text in (("location", location), ("offset", str(offset)), ("length", str(length))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, text
    return save(made, folder)


def initializers(path: Path) -> dict[str, np.ndarray]:
    """Return the weights of a file, external data not followed."""
    graph = onnx.load(path, load_external_data=False).graph
    return {each.name: numpy_helper.to_array(each) for each in graph.initializer}
