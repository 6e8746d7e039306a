"""What a sandbox may be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace
from workbench.serve.sandbox import serve
from workbench.serve.settings import ServeSettings
from workbench.serve.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.artifact import Artifact


def test_a_socket_is_where_its_caller_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = ServeSettings(grpc_socket="here.sock")
    assert settings.grpc_socket == str(tmp_path / "here.sock")
    monkeypatch.chdir("/")
    assert ServeSettings.parse(settings.model_dump(mode="json")) == settings
    assert ServeSettings(grpc_socket=None).grpc_socket is None


@pytest.mark.parametrize(
    ("ports", "sentence"),
    [
        ({"port": 8500, "grpc_port": 8500}, "grpc_port must be another number than that of REST, got 8500; it means"),
        ({"port": 8501, "oip_port": 8501}, "oip_port must be another number than that of REST, got 8501; it means"),
        ({"grpc_port": 8500, "oip_port": 8500}, "oip_port must be another number than that of gRPC, got 8500"),
    ],
)
def test_doors_have_numbers_of_their_own(ports: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        ServeSettings(**ports)


@pytest.mark.parametrize(
    "path", ["/v1/models", "/V2", "/v2/models", "/healthz", "/monitoring/stats", "metrics", "/a b"]
)
def test_metrics_have_a_path_of_their_own(path: str) -> None:
    with pytest.raises(BadInputError, match="metrics_path must"):
        ServeSettings(metrics_path=path)


def test_metrics_are_where_they_were_asked_for(tiny_onnx: Artifact, tmp_path: Path) -> None:
    workspace = Workspace.at(tmp_path / "home")
    with serve(tiny_onnx, "tiny", workspace=workspace, workers=1, metrics_path="/metrics") as server:
        page = urllib3.request("GET", f"{server.url}/metrics")
        assert page.status == 200
        assert b":tensorflow:serving:request_count" in page.data
        assert urllib3.request("GET", f"{server.url}/monitoring/prometheus/metrics").status == 404


def test_free_ports_are_different_though_their_number_is_the_same() -> None:
    ServeSettings(port=0, grpc_port=0, oip_port=0)


def test_an_engine_that_there_is_not_publishes_nothing(tiny_onnx: Artifact, tmp_path: Path) -> None:
    home = Workspace.at(tmp_path / "home")
    with pytest.raises(
        BadInputError, match="engine must be one of workbench, tensorflow-serving, ray, got 'torchserve'"
    ):
        serve(tiny_onnx, "tiny", engine="torchserve", workspace=home)  # type: ignore[call-overload]
    assert not Store.of(home).versions("tiny")
