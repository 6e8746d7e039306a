"""The handler in a real Ray on this machine: two replicas behind Ray's proxy, and the plain server as an actor."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from workbench.core.errors import BadInputError, ServingError
from workbench.core.workspace import Workspace
from workbench.serve.client import client
from workbench.serve.on_ray.application import serve_on_ray
from workbench.serve.on_ray.nodes import serve_on_nodes
from workbench.serve.on_ray.settings import Replicas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.core.artifact import Artifact
    from workbench.serve.on_ray.application import RayServer

# Ray's own: pydantic's old words, and processes that it leaves to their end.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

QUARTERS = [[0.25, 0.25, 0.25, 0.25]]
PIXELS = np.zeros((1, 2, 2, 1), np.float32)


def test_fewer_at_most_than_at_least_is_refused() -> None:
    with pytest.raises(BadInputError, match="most must be at least as many as least, 3"):
        Replicas(least=3, most=2)


@pytest.fixture(scope="module")
def ray_workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    ray = pytest.importorskip("ray", reason="ray is an extra: pip install 'lastmile-workbench[ray]'")
    # Replicas are started from nothing but this machine's cores; more are promised than there may be.
    ray.init(num_cpus=max(4, os.cpu_count() or 1), include_dashboard=False, log_to_driver=False)
    yield Workspace.at(tmp_path_factory.mktemp("ray") / "home")
    from ray import serve

    serve.shutdown()
    ray.shutdown()


@pytest.fixture(scope="module")
def two(tiny_onnx: Artifact, ray_workspace: Workspace) -> Iterator[RayServer]:
    replicas = Replicas(least=2, most=2, cpus=0.5)
    with serve_on_ray(tiny_onnx, "tiny", port=_free_port(), replicas=replicas, workspace=ray_workspace) as server:
        yield server


def _free_port() -> int:
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        number: int = held.getsockname()[1]
        return number


@pytest.mark.thorough
def test_two_replicas_answer_as_the_sandbox_does(two: RayServer) -> None:
    assert (two.replicas, two.state) == (2, "RUNNING")
    answers = [two.client.predict(PIXELS).tolist() for _ in range(20)]
    assert answers == [QUARTERS] * 20
    assert [(one.version, one.state) for one in two.client.status()] == [(1, "AVAILABLE")]
    with pytest.raises(ServingError, match="Servable not found for request: Specific\\(tiny, 9\\)"):
        two.client.predict(PIXELS, version=9)


@pytest.mark.thorough
def test_the_next_version_is_rolled_out(two: RayServer, tiny_tflite: Artifact) -> None:
    assert two.publish(tiny_tflite) == 2
    assert two.versions == (2,)
    assert [(one.version, one.state) for one in two.client.status()] == [(2, "AVAILABLE")]
    assert two.client.predict(np.zeros((1, 4), np.float32)).tolist() == QUARTERS


@pytest.mark.thorough
def test_a_node_s_own_server_has_a_port_of_its_own(tiny_onnx: Artifact, ray_workspace: Workspace) -> None:
    with serve_on_nodes(tiny_onnx, "tiny_node", cpus=0.5, workspace=ray_workspace) as servers:
        assert len(servers.urls) == 1
        asked = client(servers.urls[0], "tiny_node")
        assert asked.predict(PIXELS).tolist() == QUARTERS
        asked.close()
    with pytest.raises(ServingError, match="does not answer"):
        client(servers.urls[0], "tiny_node", timeout=2).status()
