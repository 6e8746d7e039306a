"""Small model files for readers of graphs and their comparison, made without a framework."""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from workbench.core.artifact import Artifact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from workbench.core.artifact import Format
    from workbench.core.workspace import Workspace

_numbers = itertools.count()


def artifact_of(content: bytes, workspace: Workspace, file_format: Format = "onnx", name: str = "model") -> Artifact:
    """An artifact of the workspace with this file."""
    folder = workspace.runs / "made-by-tests" / str(next(_numbers))
    return written(content, folder, file_format, name)


def written(content: bytes, folder: Path, file_format: Format = "onnx", name: str = "model") -> Artifact:
    """An artifact in any folder with this file."""
    folder.mkdir(parents=True)
    (folder / "model").write_bytes(content)
    return Artifact.write(folder, file="model", name=name, format=file_format, numeric="float32")


def onnx_graph(
    nodes: Sequence[onnx.NodeProto],
    weights: Mapping[str, np.ndarray],
    given: Sequence[Any] = ("batch", 4),
    gives: Sequence[Any] = ("batch", 4),
) -> onnx.ModelProto:
    """An ONNX model from `x` to `y`."""
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, given)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, gives)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    """Float32 numbers that are the same each time."""
    return np.random.default_rng(seed).normal(0, 0.5, shape).astype(np.float32)


def small_cnn() -> onnx.ModelProto:
    """Conv, Relu, MaxPool, Conv, Relu, global pool, Flatten, Gemm, each with a name."""
    make = helper.make_node
    nodes = [
        make("Conv", ["x", "k1", "b1"], ["c1"], name="conv1", strides=[1, 1], pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        make("Relu", ["c1"], ["r1"], name="relu1"),
        make("MaxPool", ["r1"], ["p1"], name="pool1", kernel_shape=[2, 2], strides=[2, 2]),
        make("Conv", ["p1", "k2", "b2"], ["c2"], name="conv2", strides=[2, 2], kernel_shape=[3, 3]),
        make("Relu", ["c2"], ["r2"], name="relu2"),
        make("GlobalAveragePool", ["r2"], ["g"], name="pool2"),
        make("Flatten", ["g"], ["f"], name="flatten"),
        make("Gemm", ["f", "k3", "b3"], ["y"], name="dense", transB=1),
    ]
    weights = {
        "k1": numbers(4, 3, 3, 3), "b1": numbers(4, seed=1), "k2": numbers(6, 4, 3, 3, seed=2),
        "b2": numbers(6, seed=3), "k3": numbers(5, 6, seed=4), "b3": numbers(5, seed=5),
    }  # fmt: skip
    return onnx_graph(nodes, weights, ("batch", 3, 12, 12), ("batch", 5))


def keras_file(
    layers: Sequence[tuple[str, dict[str, Any]]],
    weights: Mapping[str, Sequence[np.ndarray]],
    kind: str = "Sequential",
) -> bytes:
    """A `.keras` archive: class and configuration of each layer, weights by the archive's folder."""
    listed = [{"class_name": kind, "config": config} for kind, config in layers]
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for folder, arrays in weights.items():
            for number, array in enumerate(arrays):
                file[f"layers/{folder}/vars/{number}"] = array
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("config.json", json.dumps({"class_name": kind, "config": {"layers": listed}}))
        target.writestr("model.weights.h5", content.getvalue())
    return archive.getvalue()
