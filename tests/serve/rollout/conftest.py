"""Models of one number, and a server of two workers for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workbench.core.artifact import Artifact
from workbench.core.workspace import Workspace
from workbench.serve.sandbox import Sandbox, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def factor(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Artifact]:
    """Return the model that multiplies by a number: `x` (n, width) float32 -> `y`."""
    from onnx import TensorProto, helper

    def make(number: float, width: int = 2) -> Artifact:
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", width])
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", width])
        value = helper.make_tensor("k", TensorProto.FLOAT, [], [float(number)])
        nodes = [helper.make_node("Constant", [], ["k"], value=value), helper.make_node("Mul", ["x", "k"], ["y"])]
        graph = helper.make_graph(nodes, "factor", [x], [y])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
        folder = tmp_path_factory.mktemp("factor")
        (folder / "model.onnx").write_bytes(model.SerializeToString())
        return Artifact.write(folder, file="model.onnx", name="factor", format="onnx", numeric="float32")

    return make


@pytest.fixture
def sandbox(factor: Callable[..., Artifact], tmp_path: Path) -> Iterator[Sandbox]:
    """A server whose version 1 multiplies by 1."""
    with serve(factor(1), "m", workers=2, workspace=Workspace.at(tmp_path / "home")) as sandbox:
        yield sandbox
