"""A model of a few bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FILE = "model.onnx"


def write_tiny(folder: Path) -> None:
    """Write `image` (n, 2, 2, 1) float32 -> `probabilities` (n, 4), the softmax of the pixels, as ONNX."""
    from onnx import TensorProto, helper

    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 2, 2, 1])
    answer = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 4])
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("Softmax", ["flat"], ["probabilities"]),
    ]
    graph = helper.make_graph(nodes, "tiny", [image], [answer])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    (folder / FILE).write_bytes(model.SerializeToString())
