"""The drop-in command as a process: it starts, follows its files, and ends as the original does."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.serve.command import SECONDS, Server, free_port, put
from workbench.serve.config.model_config import ModelConfig
from workbench.serve.config.model_server import write_models
from workbench.serve.model_server import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workbench.core.artifact import Artifact


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("workbench-model-server ")
    assert main(["--help"]) == 0
    assert "--model_base_path" in capsys.readouterr().out


def test_unknown_flags_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--model_base_path=/m", "--prot=8500"]) == 255
    assert capsys.readouterr().out.startswith("unknown argument: --prot=8500\nusage: workbench-model-server\n")


def test_a_bad_config_file_ends_it_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "models.config"
    path.write_text("improper model config file")
    assert main([f"--model_config_file={path}"]) == 255
    told = capsys.readouterr()
    assert "Error parsing text-format tensorflow.serving.ModelServerConfig: 1:10: " in told.err
    assert told.out == f"Failed to start server. Error: INVALID_ARGUMENT: Invalid protobuf file: '{path}'\n"


def test_a_batching_file_needs_its_flag(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--model_base_path=/m", "--batching_parameters_file=/m/b"]) == 255
    assert "batching_parameters_file is set without setting" in capsys.readouterr().out


@pytest.fixture
def base(tmp_path: Path, tiny_onnx: Artifact) -> Path:
    """A folder without any manifest, as others leave it."""
    put(tmp_path / "base" / "tiny", 1, tiny_onnx)
    return tmp_path / "base"


@pytest.fixture
def started(tmp_path: Path, base: Path) -> Iterator[Server]:
    file = tmp_path / "models.config"
    file.write_text(write_models([ModelConfig(name="tiny", base_path=str(base / "tiny"))]))
    server = Server(
        tmp_path, f"--model_config_file={file}", "--model_config_file_poll_wait_seconds=1", "--enable_batching"
    )
    yield server
    server.process.kill()
    server.process.wait()


def test_it_follows_its_files_and_ends_in_order(
    started: Server, tmp_path: Path, base: Path, tiny_onnx: Artifact
) -> None:
    started.until(lambda: started.states("tiny") == {"1": "AVAILABLE"})
    body = {"instances": [[[[0], [0]], [[0], [0]]]]}
    answer = (200, {"predictions": [[0.25, 0.25, 0.25, 0.25]]})
    assert started.ask("/v1/models/tiny:predict", body) == answer
    put(base / "tiny", 2, tiny_onnx)
    started.until(lambda: started.states("tiny") == {"2": "AVAILABLE", "1": "END"})
    assert started.ask("/v1/models/tiny/versions/2:predict", body) == answer
    file = tmp_path / "models.config"
    file.write_text("nonsense")
    started.until(lambda: "failed to reload tensorflow.serving.ModelServerConfig" in started.log.read_text())
    assert started.ask("/v1/models/tiny:predict", body) == answer
    labelled = ModelConfig(name="tiny", base_path=str(base / "tiny"), labels={"stable": 2})
    file.write_text(write_models([labelled]))
    started.until(lambda: started.ask("/v1/models/tiny/labels/stable:predict", body) == answer)
    file.write_text(write_models([ModelConfig(name="other", base_path=str(base / "tiny"))]))
    started.until(lambda: started.states("other") == {"2": "AVAILABLE"})
    started.until(lambda: started.ask("/v1/models/tiny")[0] == 404)
    assert "Running gRPC ModelServer at 127.0.0.1:" in started.log.read_text()
    started.process.send_signal(signal.SIGTERM)
    assert started.process.wait(timeout=SECONDS) == 0


def test_a_port_that_is_taken_ends_it(base: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "workbench.serve.model_server", f"--model_base_path={base / 'tiny'}"]
        ports = [f"--rest_api_port={port}", f"--port={free_port()}"]
        done = subprocess.run([*command, *ports], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 255
    assert done.stdout == (
        f"Failed to start server. Error: UNKNOWN: port {port} of 127.0.0.1 cannot be used (Address already in use); "
        "end the program that has it or give another number.\n"
    )
