"""Health is one record, from a handle or from an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from workbench.core.artifact import Artifact
from workbench.core.errors import ServingError
from workbench.core.workspace import Workspace
from workbench.monitor.health import health
from workbench.serve.sandbox import Sandbox, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Sandbox]:
    """A server that gives back the vectors (n, 2) that it is sent."""
    from onnx import TensorProto, helper

    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "same", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    artifact = Artifact.write(tmp_path, file="model.onnx", name="same", format="onnx", numeric="float32")
    with serve(artifact, "same", workspace=Workspace.at(tmp_path / "home")) as sandbox:
        yield sandbox


def test_what_was_asked_is_counted(served: Sandbox) -> None:
    assert health(served).p50_ms is None
    for _ in range(4):
        served.client.predict(np.zeros((1, 2)))
    with pytest.raises(ServingError):
        served.client.predict(np.zeros(3))
    stats = health(served.url, "same")
    assert (stats.model, stats.version, stats.requests, stats.errors) == ("same", "1", 5, 1)
    assert stats.p50_ms is not None
    assert stats.p95_ms is not None
    assert stats.p99_ms is not None
    assert 0 < stats.p50_ms <= stats.p95_ms <= stats.p99_ms
    assert stats.uptime_s > 0
    with pytest.raises(ServingError, match="must serve other to count it, but serves same"):
        health(served.url, "other")
