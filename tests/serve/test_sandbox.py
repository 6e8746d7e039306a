"""The child process and its handle: states, ports, and that nothing is ever left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest

import workbench
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, ServingError
from workbench.core.workspace import Workspace
from workbench.jobs.job import Job
from workbench.serve.sandbox import Sandbox, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGES = np.zeros((3, 2, 2, 1), np.float32)


@pytest.fixture
def home(tmp_path: Path) -> Workspace:
    return Workspace.at(tmp_path / "home")


@pytest.fixture
def sandbox(tiny_onnx: Artifact, home: Workspace) -> Iterator[Sandbox]:
    with serve(tiny_onnx, "tiny", workspace=home) as sandbox:
        yield sandbox


def wait_gone(pid: int, seconds: float) -> None:
    """Wait until a process that is not our child has ended (a zombie that nobody reaps has)."""
    try:
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            process.wait(seconds)
    except psutil.NoSuchProcess:
        return
    except psutil.TimeoutExpired:
        if process.status() != psutil.STATUS_ZOMBIE:
            raise


def test_a_ready_one_answers(served: Sandbox) -> None:
    assert served.state == "ready"
    assert served.client.predict(IMAGES).tolist() == [[0.25] * 4] * 3
    assert repr(served) == f"Sandbox('tiny', ready at {served.url})"


def test_stop_leaves_no_process_and_a_finished_run(sandbox: Sandbox) -> None:
    pid = sandbox.pid
    assert pid is not None
    assert Job(sandbox.folder).state == "running"
    sandbox.stop()
    sandbox.stop()
    assert sandbox.state == "stopped"
    assert not psutil.pid_exists(pid)
    assert Job(sandbox.folder).state == "done"
    with pytest.raises(ServingError, match="does not answer"):
        sandbox.client.predict(IMAGES)


def test_a_request_in_flight_is_answered_before_the_end(sandbox: Sandbox) -> None:
    many = np.zeros((20_000, 2, 2, 1), np.float32)
    answers: list[int] = []
    asking = threading.Thread(target=lambda: answers.append(len(sandbox.client.predict(many))))
    # The server has the request when it has read the first bytes of it.
    before = sandbox.stats().requests
    asking.start()
    process = psutil.Process(sandbox.pid)
    while not any(each.status == psutil.CONN_ESTABLISHED for each in process.net_connections()):
        asking.join(0.001)
    asking.join(0.05)
    sandbox.stop()
    asking.join(10)
    assert before == 0
    assert answers == [20_000]


def test_kill_of_the_child_is_seen(sandbox: Sandbox) -> None:
    assert sandbox.pid is not None
    begin = time.monotonic()
    os.kill(sandbox.pid, signal.SIGKILL)
    assert sandbox.wait_end(5) == "failed"
    assert time.monotonic() - begin < 1
    assert sandbox.error is not None
    assert sandbox.error.startswith("the server of tiny was killed by SIGKILL; see ")
    assert Job(sandbox.folder).state == "failed"
    sandbox.stop()
    assert sandbox.state == "failed"


PARENT = """
import sys, threading
from workbench.core.artifact import Artifact
from workbench.core.workspace import Workspace
from workbench.serve.sandbox import serve

started = []
def start():  # on a thread that ends, as a callback's does
    started.append(serve(Artifact.load(sys.argv[1]), "tiny", workspace=Workspace.at(sys.argv[2])))

thread = threading.Thread(target=start)
thread.start()
thread.join()
print(started[0].pid, started[0].client.status()[0].state, flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def parent(tiny_onnx: Artifact, home: Workspace) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", PARENT, str(tiny_onnx.folder), str(home.home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def child_of(parent: subprocess.Popen[str]) -> int:
    assert parent.stdout is not None
    pid, state = parent.stdout.readline().split()
    assert state == "AVAILABLE"
    return int(pid)


def test_kill_of_the_parent_leaves_no_child(parent: subprocess.Popen[str]) -> None:
    child = child_of(parent)
    assert psutil.pid_exists(child)
    parent.kill()
    wait_gone(child, 2)


def test_exit_of_the_interpreter_leaves_no_child(parent: subprocess.Popen[str]) -> None:
    child = child_of(parent)
    assert parent.stdin is not None
    parent.stdin.write("\n")
    parent.stdin.flush()
    assert parent.wait(10) == 0
    wait_gone(child, 0)


def test_ctrl_c_does_not_reach_the_child(served: Sandbox) -> None:
    assert served.pid is not None
    assert os.getpgid(served.pid) != os.getpgid(0)


def test_a_taken_port_is_replaced_and_said(tiny_onnx: Artifact, home: Workspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serve(tiny_onnx, "tiny", port=port, workspace=home) as sandbox:
            chosen = sandbox.url.rpartition(":")[2]
            assert chosen != str(port)
            assert sandbox.note == f"port {port} cannot be used (Address already in use), so {chosen} was chosen"
            assert sandbox.client.predict(IMAGES).shape == (3, 4)


def test_the_verb_in_a_notebook_at_a_port_of_ones_own(tiny_onnx: Artifact, home: Workspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    async def cell() -> None:  # a kernel's event loop runs while a cell does
        with workbench.serve(tiny_onnx, name="tiny", port=port, workspace=home, wait=False) as sandbox:
            assert sandbox.state == "starting"
            with pytest.raises(ServingError, match="is starting"):
                sandbox.client  # noqa: B018
            assert sandbox.wait().state == "ready"
            assert (sandbox.url, sandbox.note) == (f"http://127.0.0.1:{port}", "")

    asyncio.run(cell())


def test_stop_while_starting(tiny_onnx: Artifact, home: Workspace) -> None:
    sandbox = serve(tiny_onnx, "tiny", workspace=home, wait=False)
    sandbox.stop()
    assert sandbox.state == "stopped"
    assert sandbox.pid is None or not psutil.pid_exists(sandbox.pid)
    with pytest.raises(ServingError, match="was stopped"):
        sandbox.wait()


@pytest.fixture
def truncated(tiny_onnx: Artifact, home: Workspace) -> Artifact:
    """The tiny model as version 1 of the store, its file cut in half afterwards."""
    from workbench.serve.store import Store

    version = Store.of(home).publish(tiny_onnx, "tiny")
    file = home.models / "tiny" / str(version) / "model.onnx"
    file.write_bytes(file.read_bytes()[:40])
    return tiny_onnx


def test_a_truncated_model_fails_in_one_sentence(truncated: Artifact, home: Workspace) -> None:
    sandbox = serve(truncated, "tiny", workspace=home, wait=False)
    assert sandbox.wait_end(10) == "failed"
    assert sandbox.error is not None
    assert sandbox.error.startswith("model.onnx must have sha256 ")
    assert "truncated or changed" in sandbox.error
    assert str(home.home) not in sandbox.error
    with pytest.raises(ServingError, match="truncated or changed"):
        sandbox.wait()


def test_no_model_at_all_fails_in_one_sentence(tmp_path: Path, home: Workspace) -> None:
    folder = tmp_path / "no-model"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"these are no protocol buffers")
    artifact = Artifact.write(folder, file="model.onnx", name="no", format="onnx", numeric="float32")
    with pytest.raises(ServingError, match=r"model\.onnx must be a model that the onnx runtime can open") as caught:
        serve(artifact, "no", workspace=home)
    assert str(home.home) not in str(caught.value)


def test_a_bad_version_leaves_the_good_one(truncated: Artifact, home: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    other = truncated.path.read_bytes() + b"\x32\x00"  # an empty field more: another file, the same model
    (folder / "model.onnx").write_bytes(other)
    good = Artifact.write(folder, file="model.onnx", name="good", format="onnx", numeric="float32")
    with serve({1: truncated, 2: good}, "tiny", workspace=home) as sandbox:
        newest, broken = sandbox.client.status()
        assert (newest.version, newest.state, newest.error) == (2, "AVAILABLE", "")
        assert (broken.version, broken.state) == (1, "END")
        assert "truncated or changed" in broken.error
        assert sandbox.client.predict(IMAGES, version=2).shape == (3, 4)
        assert (sandbox.versions, sandbox.stats().version) == ((1, 2), "2")


@pytest.mark.parametrize("name", ["../x", "a/b", "a:b", ""])
def test_a_name_stays_in_the_store(tiny_onnx: Artifact, home: Workspace, name: str) -> None:
    with pytest.raises(BadInputError, match=r"^name must"):
        serve(tiny_onnx, name, workspace=home)
    assert not home.home.exists()


def test_it_loads_no_framework_and_listens_here_only(served: Sandbox) -> None:
    process = psutil.Process(served.pid)
    loaded = [entry.path for entry in process.memory_maps()]
    assert not any("tensorflow" in path for path in loaded)
    addresses = {each.laddr.ip for each in process.net_connections() if each.status == psutil.CONN_LISTEN}
    assert addresses == {"127.0.0.1"}
