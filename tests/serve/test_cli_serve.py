"""`workbench serve` and `workbench stop`, as people type them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import workbench
from workbench.core.artifact import Artifact
from workbench.core.workspace import Workspace
from workbench.jobs import jobs
from workbench.monitor.request_log import read
from workbench.serve.sandbox import running
from workbench.serve.security import Guard, Security

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

IMAGES = np.zeros((2, 2, 2, 1), np.float32)


@pytest.fixture
def home(tmp_path: Path) -> Workspace:
    return Workspace.at(tmp_path / "home")


def run(*arguments: object, home: Workspace) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workbench", *map(str, arguments), "--home", str(home.home)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def begin(home: Workspace) -> Iterator[Callable[..., tuple[subprocess.Popen[str], dict[str, Any]]]]:
    """Start the command and return it with the facts that it prints when its server is ready."""
    begun: list[subprocess.Popen[str]] = []

    def start(*arguments: object) -> tuple[subprocess.Popen[str], dict[str, Any]]:
        command = [sys.executable, "-m", "workbench", "serve", *map(str, arguments), "--home", str(home.home), "--json"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        begun.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        return process, json.loads(line)

    yield start
    for process in begun:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_it_serves_until_it_is_told_to_end(
    number: signal.Signals,
    tiny_onnx: Artifact,
    home: Workspace,
    begin: Callable[..., tuple[subprocess.Popen[str], dict[str, Any]]],
) -> None:
    process, facts = begin(tiny_onnx.folder, "--workers", 1, "--request-log")
    assert (facts["name"], facts["versions"], facts["note"]) == ("tiny", [1], "")
    for url in (facts["url"], facts["v2"], f"grpc://{facts['grpc']}"):
        with workbench.client(url, "tiny") as client:
            assert client.predict(IMAGES).tolist() == [[0.25] * 4] * 2
    process.send_signal(number)
    _, told = process.communicate(timeout=20)
    assert (process.returncode, told) == (0, "Answering what is under way …\n")
    assert running(home) == {}
    assert [job.state for job in jobs(home)] == ["done"]
    assert [one.examples for one in read(home.run(facts["run"]))[0]] == [2] * 3


def test_kept_it_returns_and_stop_ends_it(tiny_onnx: Artifact, home: Workspace) -> None:
    said = run("serve", tiny_onnx.folder, "--name", "kept", "--workers", 1, "--keep", home=home)
    assert said.returncode == 0, said.stderr
    lines = said.stdout.splitlines()
    assert lines[0] == "kept, version 1: 1 worker(s)"
    assert "/v1/models/kept:predict" in lines[1]
    assert lines[-1].startswith("  `workbench stop kept` ends it; its log is ")
    assert list(running(home, kept=True).values()) == ["kept"]
    refused = run("stop", "other", home=home)
    assert (refused.returncode, "these run: kept" in refused.stderr) == (2, True)
    assert run("stop", "kept", home=home).stdout == "The server of kept is ended.\n"
    assert running(home) == {}
    # A name in the store is served as it is there.
    again = run("serve", "kept", "--workers", 1, "--keep", home=home)
    assert again.stdout.startswith("kept, version 1: ")
    assert run("stop", home=home).stdout == "The server of kept is ended.\nNo job cluster runs.\n"


def test_print_command_starts_nothing(home: Workspace, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "saved_model.pb").write_text("graph")
    artifact = Artifact.write(tmp_path, file="model", name="cnn", format="saved_model", numeric="float32")
    said = run("serve", artifact.folder, "--print-command", "docker", "--port", 8600, home=home)
    assert "tensorflow/serving" in said.stdout
    assert "127.0.0.1:8600:8501" in said.stdout
    assert not home.list_runs()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing-there"], "model must be an artifact folder, a model file or a name in the store"),
        (["../etc"], "model must be an artifact folder, a model file or a name in the store"),
        (["{artifact}", "--host", "0.0.0.0"], "host must be 127.0.0.1, ::1 or localhost where no API keys are set"),
        (["{artifact}", "--engine", "torchserve"], "engine must be one of workbench, tensorflow-serving, got"),
        (["{artifact}", "--engine", "ray"], 'Ray serves from Python: `workbench.serve(artifact, engine="ray")`'),
        (["{artifact}", "--print-command", "podman"], "print_command must be one of docker, binary, kserve, got"),
        (["{artifact}", "--port", "8600", "--grpc-port", "8600"], "grpc_port must be another number than that of REST"),
        (["{artifact}", "--api-key", "secret"], "must name keys by their SHA-256 in hex"),
        (["{artifact}", "--max-batch-size", "0"], "max_batch_size must be at least 1"),
    ],
)
def test_what_may_not_be_asked_is_one_sentence(
    arguments: list[str], said: str, tiny_onnx: Artifact, home: Workspace
) -> None:
    done = run("serve", *(each.format(artifact=tiny_onnx.folder) for each in arguments), home=home)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count(os.linesep) == 1
    assert "secret" not in done.stderr
    assert not [*home.models.glob("*/*")]  # nothing is published


def test_a_key_is_made_in_the_shell() -> None:
    command = [sys.executable, "-m", "workbench", "key"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (name, key), (hashed, sha256) = map(str.split, done.stdout.splitlines())
    assert (name, hashed) == ("key", "sha256")
    assert Guard(Security(api_keys={sha256: "predict"})).require("predict", key) == sha256[:8]
    assert "not shown again" in done.stderr
    plain = json.loads(subprocess.run([*command, "--json"], capture_output=True, text=True, check=True).stdout)
    assert (set(plain), plain["key"] != key) == ({"key", "sha256"}, True)
