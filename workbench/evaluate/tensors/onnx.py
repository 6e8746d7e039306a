"""Initializers and constants of an ONNX graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.evaluate.tensors.base import StoredTensor, TensorReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class OnnxTensors(TensorReader):
    """Reads `.onnx`; data outside the file is not followed."""

    def read(self, path: Path) -> Iterator[StoredTensor]:
        """Give initializers, then the values of Constant nodes."""
        import onnx
        from onnx import numpy_helper

        graph = onnx.load(path, load_external_data=False).graph
        for tensor in graph.initializer:
            yield StoredTensor(tensor.name, numpy_helper.to_array(tensor))
        for node in graph.node:
            if node.op_type == "Constant":
                for attribute in node.attribute:
                    if attribute.name == "value":
                        yield StoredTensor(node.output[0], numpy_helper.to_array(attribute.t))
