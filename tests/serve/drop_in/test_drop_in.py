"""The command, started and waited for as the original's own test harness does, over gRPC and with all its files."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pytest

from tests.serve.client_venv import client_python, run_client
from tests.serve.command import SECONDS, free_port
from tests.serve.drop_in import toys
from tests.serve.grpc.door import MODEL, Door, Refused, predict_request
from workbench.serve.counters import Counters
from workbench.serve.grpc.messages import message

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = f"{sys.executable} -m workbench.serve.model_server"
CLIENT = Path(__file__).with_name("harness_client.py")


class Harness:
    """Starts servers by a command line in one string, as the original's does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Every server of the original's harness has the same one.
        self.socket = folder / "tf-serving.sock"
        self.ended = contextlib.ExitStack()

    def run(self, more: str) -> tuple[subprocess.Popen[bytes], Door, int]:
        """Start a server and wait until it says that it has not a model that there is not."""
        port, rest_port = free_port(), free_port()
        command = f"{COMMAND} --port={port} --rest_api_port={rest_port} --rest_api_timeout_in_ms=5000"
        command += f" --grpc_socket_path={self.socket} {more}"
        log = self.ended.enter_context((self.folder / f"{port}.log").open("wb"))
        environment = {**os.environ, "TMPDIR": str(self.folder)}
        process = subprocess.Popen(shlex.split(command), stderr=log, env=environment)
        self.ended.callback(process.wait)
        self.ended.callback(process.kill)
        door = self.door(f"localhost:{port}")
        until_ready(door)
        return process, door, rest_port

    def door(self, address: str) -> Door:
        options = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 100)]
        channel = self.ended.enter_context(grpc.insecure_channel(address, options))
        return Door(channel, address, Counters([]))


def until_ready(door: Door) -> None:
    missing = message("tensorflow.serving.PredictRequest")()
    missing.model_spec.name = "intentionally_missing_model"
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            door.predict(missing, timeout=5)
        except Refused as refused:
            if "Servable" in refused.details:
                return
        time.sleep(0.05)
    raise AssertionError("it never became ready")


def answer(door: Door, name: str, *, version: int | None = None, label: str = "", filtered: bool = False) -> float:
    """What a model says to 2.0, and check everything around it."""
    request = predict_request(name, signature="serving_default", x=np.array([2.0], np.float32))
    if version is not None:
        request.model_spec.version.value = version
    if label:
        request.model_spec.version_label = label
    if filtered:
        request.output_filter.append("y")
    reply = door.predict(request, timeout=5)
    assert list(reply.outputs) == ["y"]
    assert (reply.model_spec.name, reply.model_spec.signature_name) == (name, "serving_default")
    (found,) = reply.outputs["y"].float_val
    return float(found)


def states(door: Door, name: str) -> dict[int, int]:
    request = message("tensorflow.serving.GetModelStatusRequest")()
    request.model_spec.name = name
    reply = door.ask(MODEL, "GetModelStatus", request, "GetModelStatusResponse")
    return {one.version: one.state for one in reply.model_version_status}


def reload(door: Door, name: str, base: Path, versions: list[int], labels: dict[str, int]) -> Any:
    request = message("tensorflow.serving.ReloadConfigRequest")()
    one = request.config.model_config_list.config.add(name=name, base_path=str(base / name))
    one.model_platform = "tensorflow"
    one.model_version_policy.specific.versions.extend(versions)
    one.version_labels.update(labels)
    return door.ask(MODEL, "HandleReloadConfigRequest", request, "ReloadConfigResponse")


def page(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://localhost:{port}{path}", timeout=10) as reply:
        text: str = reply.read().decode()
        return text


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    found = Harness(tmp_path)
    with found.ended:
        yield found


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return toys.write_onnx(tmp_path / "base", versions=("00000123", "124"))


def all_files(folder: Path, base: Path) -> str:
    """Every file that the original takes, as its documentation and its tests write them."""
    for name, text in {"models": toys.MODELS, "monitoring": toys.MONITORING, "batching": toys.BATCHING}.items():
        (folder / name).write_text(text.format(base=base) if name == "models" else text)
    return (
        f"--model_config_file={folder}/models --monitoring_config_file={folder}/monitoring "
        f"--enable_batching --batching_parameters_file={folder}/batching "
        "--use_tflite_model=false --grpc_channel_arguments=grpc.max_connection_age_ms=2000,grpc.lb_policy_name=grpclb"
    )


def test_a_whole_session_of_the_harness(harness: Harness, base: Path) -> None:
    process, door, rest_port = harness.run(all_files(harness.folder, base))
    for filtered in (True, False):
        assert answer(door, "half_plus_two", filtered=filtered) == 3
        assert answer(door, "half_plus_three", filtered=filtered) == 4
    assert answer(harness.door(f"unix:{harness.socket}"), "half_plus_two") == 3
    metrics = page(rest_port, "/monitoring/prometheus/metrics")
    assert "# TYPE" in metrics
    assert ':tensorflow:serving:request_count{model_name="half_plus_two",status="OK"}' in metrics
    # A canary: both versions, then labels, then the label moves on, and one that is not there is refused.
    assert reload(door, "half_plus_two", base, [123, 124], {}).status.error_code == 0
    reload(door, "half_plus_two", base, [123, 124], {"stable": 123, "canary": 124})
    assert states(door, "half_plus_two") == {123: 30, 124: 30}
    assert answer(door, "half_plus_two", label="canary") == 3
    with pytest.raises(Refused, match="FAILED_PRECONDITION"):
        reload(door, "half_plus_two", base, [123, 124], {"stable": 999})
    reload(door, "half_plus_two", base, [123, 124], {"stable": 124})
    reload(door, "half_plus_two", base, [124], {"stable": 124})
    assert states(door, "half_plus_two") == {124: 30, 123: 50}
    assert answer(door, "half_plus_two", label="stable") == 3
    for gone in ({"version": 123}, {"label": "canary"}):
        with pytest.raises(Refused, match=r"NOT_FOUND|INVALID_ARGUMENT"):
            answer(door, "half_plus_two", **gone)  # type: ignore[arg-type]
    # What the configuration does not name any more is gone.
    with pytest.raises(Refused, match="NOT_FOUND: Servable not found"):
        answer(door, "half_plus_three")
    process.send_signal(signal.SIGTERM)
    assert process.wait(SECONDS) == 0


@pytest.mark.thorough
def test_servers_that_have_the_same_socket(harness: Harness, base: Path) -> None:
    first, one, _ = harness.run(f"--model_name=half_plus_two --model_base_path={base}/half_plus_two")
    _, two, _ = harness.run(f"--model_name=half_plus_three --model_base_path={base}/half_plus_three")
    assert (answer(one, "half_plus_two"), answer(two, "half_plus_three")) == (3, 4)
    # The one that came last has it.
    assert answer(harness.door(f"unix:{harness.socket}"), "half_plus_three") == 4
    first.send_signal(signal.SIGTERM)
    assert first.wait(SECONDS) == 0
    assert answer(two, "half_plus_three") == 4


@pytest.mark.thorough
@pytest.mark.parametrize("seconds", [0, 1])
def test_the_file_is_followed_only_where_that_is_asked(harness: Harness, base: Path, seconds: int) -> None:
    file = harness.folder / "model_config.txt"
    text = 'model_config_list: {{ config: {{ name: "{0}", base_path: "{1}/{0}", model_platform: "tensorflow" }} }}'
    file.write_text(text.format("half_plus_two", base))
    _, door, _ = harness.run(f"--model_config_file={file} --model_config_file_poll_wait_seconds={seconds}")
    assert answer(door, "half_plus_two") == 3
    file.write_text(text.format("half_plus_three", base))
    time.sleep(seconds + 1)  # as the harness waits
    if seconds:
        assert answer(door, "half_plus_three") == 4
    else:
        assert answer(door, "half_plus_two") == 3


def test_a_bad_file_ends_it_with_the_words_that_are_waited_for(harness: Harness) -> None:
    (harness.folder / "bad").write_text("improper model config file\n")
    command = f"{COMMAND} --port={free_port()} --model_config_file={harness.folder}/bad"
    done = subprocess.run(shlex.split(command), capture_output=True, timeout=SECONDS, check=False)
    assert done.returncode == 255
    assert b"Error parsing text-format tensorflow.serving.ModelServerConfig" in done.stderr


@pytest.mark.thorough
def test_the_harness_s_client_and_its_saved_models(harness: Harness) -> None:
    python = client_python("tensorflow-serving-api==2.21.*")
    base = toys.write_saved_models(harness.folder / "base")
    _, door, rest_port = harness.run(all_files(harness.folder, base))
    assert "fine" in run_client(python, CLIENT, "half_plus", door.address, rest_port, harness.socket)
    _, door, _ = harness.run(f"--model_name=default --model_base_path={base}/functions")
    assert "fine" in run_client(python, CLIENT, "functions", door.address)
