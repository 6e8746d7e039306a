"""Models that tell which of them answered, and a server of two workers that tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workbench.core.artifact import Artifact
from workbench.core.workspace import Workspace
from workbench.serve.sandbox import Sandbox, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Artifact]:
    """Return the model that multiplies by a number: `x` (n, 2) float32 -> `y`."""
    from onnx import TensorProto, helper

    def make(number: int) -> Artifact:
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])
        value = helper.make_tensor("k", TensorProto.FLOAT, [], [float(number)])
        nodes = [helper.make_node("Constant", [], ["k"], value=value), helper.make_node("Mul", ["x", "k"], ["y"])]
        graph = helper.make_graph(nodes, "numbered", [x], [y])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
        folder = tmp_path_factory.mktemp(f"numbered-{number}")
        (folder / "model.onnx").write_bytes(model.SerializeToString())
        return Artifact.write(folder, file="model.onnx", name="numbered", format="onnx", numeric="float32")

    return make


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace.at(tmp_path_factory.mktemp("home") / "home")


@pytest.fixture(scope="module")
def pair(numbered: Callable[[int], Artifact], home: Workspace) -> Iterator[Sandbox]:
    """Two workers that serve a model as `m`."""
    with serve(numbered(1), "m", workers=2, oip_port=0, workspace=home) as sandbox:
        yield sandbox
