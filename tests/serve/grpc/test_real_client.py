"""The client that TensorFlow Serving's users have, `tensorflow-serving-api`, cannot tell us from the original."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.serve.client_venv import client_python, run_client
from tests.serve.grpc.door import Door, door
from tests.serve.grpc.models import double
from tests.serve.numpy_models import loading
from workbench.serve.config.model_config import ModelConfig
from workbench.serve.grpc.messages import DESCRIPTORS
from workbench.serve.grpc.protos.compile import FOLDER
from workbench.serve.models import Models
from workbench.serve.sandbox import serve
from workbench.serve.versions.local_fleet import LocalFleet
from workbench.serve.versions.manager import Manager

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact
    from workbench.core.workspace import Workspace
    from workbench.serve.servable import Servable

pytestmark = pytest.mark.thorough

SCRIPT = Path(__file__).with_name("real_client.py")


@pytest.fixture(scope="module")
def python() -> Path:
    return client_python("tensorflow-serving-api==2.21.*")


@pytest.mark.parametrize("check", ["predict", "metadata", "examples"])
def test_it_asks(python: Path, small: Door, check: str) -> None:
    assert int(run_client(python, SCRIPT, check, small.address)) > 0


def test_it_reloads(python: Path, tmp_path: Path) -> None:
    for name, version in (("first", 1), ("first", 2), ("second", 4)):
        (tmp_path / name / str(version)).mkdir(parents=True)

    def make(name: str, version: int, path: Path) -> Servable:
        del path
        return loading(name, version, double(version))

    async def manage(models: Models) -> Manager:
        manager = Manager(LocalFleet(models, make), [ModelConfig(name="first", base_path=str(tmp_path / "first"))])
        await manager.start()
        return manager

    with door(Models({}), manage=manage) as client:
        assert int(run_client(python, SCRIPT, "reload", client.address, tmp_path)) == 1


def test_it_asks_a_whole_sandbox(python: Path, tiny_onnx: Artifact, serve_workspace: Workspace) -> None:
    versions = {1: tiny_onnx, 2: tiny_onnx}
    with serve(versions, "tiny", workspace=serve_workspace, workers=2) as sandbox:
        assert int(run_client(python, SCRIPT, "sandbox", sandbox.grpc, serve_workspace.models / "tiny")) > 0


def test_our_messages_are_its_messages(python: Path) -> None:
    assert int(run_client(python, SCRIPT, "wire", FOLDER / DESCRIPTORS)) > 100
