"""What tests of all areas share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from workbench.core.artifact import Artifact
from workbench.core.workspace import Workspace
from workbench.jobs import ensure_cluster, stop_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.serve.sandbox import Sandbox


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace for the whole session, the default one meanwhile, whose cluster warms up from the first test on.

    Tests share its cluster and its cache: use settings of your own where a result must not be reused.
    """
    shared = Workspace.at(tmp_path_factory.mktemp("workspace") / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(shared.home))
        patch.setenv("PYTHONPATH", _with_stages_of_tests())
        ensure_cluster(shared)
        yield shared
        stop_cluster(shared)


@pytest.fixture
def fresh_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace of one test, the default one meanwhile; a cluster that the test starts in it preloads nothing."""
    fresh = Workspace.at(tmp_path / "home")
    monkeypatch.setenv("WORKBENCH_HOME", str(fresh.home))
    monkeypatch.setenv("WORKBENCH_PRELOAD", "")
    monkeypatch.setenv("PYTHONPATH", _with_stages_of_tests())
    yield fresh
    stop_cluster(fresh)


def _with_stages_of_tests() -> str:
    # tests/jobs/probe_stages.py must be importable in the children.
    stages = str(Path(__file__).parent / "jobs")
    return os.pathsep.join(filter(None, [stages, os.environ.get("PYTHONPATH")]))


@pytest.fixture(scope="session")
def serve_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace for what is served; no cluster is ever started in it."""
    return Workspace.at(tmp_path_factory.mktemp("served") / "home")


@pytest.fixture(scope="session")
def tiny_onnx(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """A model of a few bytes: `image` (n, 2, 2, 1) float32 -> `probabilities` (n, 4), the softmax of the pixels."""
    from onnx import TensorProto, helper

    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 2, 2, 1])
    answer = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 4])
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("Softmax", ["flat"], ["probabilities"]),
    ]
    graph = helper.make_graph(nodes, "tiny", [image], [answer])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    return Artifact.write(folder, file="model.onnx", name="tiny", format="onnx", numeric="float32")


@pytest.fixture(scope="session")
def served(tiny_onnx: Artifact, serve_workspace: Workspace) -> Iterator[Sandbox]:
    """A server that answers for `tiny_onnx`, shared by all tests that only ask it."""
    from workbench.serve.sandbox import serve

    with serve(tiny_onnx, "tiny", workspace=serve_workspace) as sandbox:
        yield sandbox
