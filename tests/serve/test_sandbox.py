"""The child process and its handle: states, ports, and that nothing is ever left behind."""

from __future__ import annotations

import asyncio
import os
import re
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
from workbench.core.errors import BadInputError, ServingError, WorkspaceError
from workbench.core.workspace import Workspace
from workbench.jobs.job import Job
from workbench.serve.sandbox import Sandbox, serve, start
from workbench.serve.settings import ServeSettings
from workbench.serve.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGES = np.zeros((3, 2, 2, 1), np.float32)


@pytest.fixture
def home(tmp_path: Path) -> Workspace:
    return Workspace.at(tmp_path / "home")


@pytest.fixture
def sandbox(tiny_onnx: Artifact, home: Workspace) -> Iterator[Sandbox]:
    with serve(tiny_onnx, "tiny", workers=1, workspace=home) as sandbox:
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


def test_a_label_that_can_be_none_publishes_nothing(
    served: Sandbox, tiny_tflite: Artifact, serve_workspace: Workspace
) -> None:
    before = Store.of(serve_workspace).versions("tiny")
    with pytest.raises(BadInputError, match="label must be made of letters, digits and _, got 'a/b'"):
        served.publish(tiny_tflite, label="a/b")
    assert Store.of(serve_workspace).versions("tiny") == before


def test_tflite_answers_batches_of_any_size(tiny_tflite: Artifact, home: Workspace) -> None:
    with serve(tiny_tflite, "tiny", workers=1, workspace=home) as sandbox:
        for size in (1, 7, 2):
            given = np.random.default_rng(size).random((size, 4), dtype=np.float32)
            expected = np.exp(given) / np.exp(given).sum(1, keepdims=True)
            np.testing.assert_allclose(sandbox.client.predict(given), expected, atol=1e-6)


def test_stop_leaves_no_process_and_a_finished_run(sandbox: Sandbox) -> None:
    pid = sandbox.pid
    assert pid is not None
    assert Job(sandbox.folder).state == "running"
    sandbox.stop()
    sandbox.stop()
    assert sandbox.state == "stopped"
    assert not psutil.pid_exists(pid)
    assert Job(sandbox.folder).state == "done"
    assert (repr(sandbox), sandbox.proxy_url) == ("Sandbox('tiny', stopped)", None)
    stopped = r"^the server of tiny was stopped; start one with `workbench\.serve\(artifact, 'tiny'\)`\.$"
    for ask in (
        lambda: sandbox.client,
        lambda: sandbox.url,
        lambda: sandbox.v2_url,
        lambda: sandbox.grpc,
        sandbox.wait,
    ):
        with pytest.raises(ServingError, match=stopped):
            ask()


def test_a_request_in_flight_is_answered_before_the_end(sandbox: Sandbox) -> None:
    where = ("127.0.0.1", int(sandbox.url.rpartition(":")[2]))
    body = b'{"instances": [[[[0], [0]], [[0], [0]]]]}'
    head = f"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {len(body)}"
    with socket.create_connection(where, timeout=10) as connection:
        connection.sendall(head.encode() + b"\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 100")  # it waits for the body now
        stopping = threading.Thread(target=sandbox.stop)
        stopping.start()
        while accepts(where):
            pass
        connection.sendall(body)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    stopping.join(10)
    assert sandbox.state == "stopped"


def accepts(where: tuple[str, int]) -> bool:
    try:
        socket.create_connection(where, timeout=10).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return False
    return True


def test_kill_of_the_child_is_seen(sandbox: Sandbox) -> None:
    assert sandbox.pid is not None
    begin = time.monotonic()
    os.kill(sandbox.pid, signal.SIGKILL)
    assert sandbox.wait_end(5) == "failed"
    assert time.monotonic() - begin < 1
    assert sandbox.error is not None
    assert sandbox.error.startswith("the server of tiny was killed by SIGKILL; see ")
    assert Job(sandbox.folder).state == "failed"
    for ask in (lambda: sandbox.client, lambda: sandbox.url, lambda: sandbox.v2_url, lambda: sandbox.grpc):
        with pytest.raises(ServingError, match=re.escape(sandbox.error)):
            ask()
    sandbox.stop()
    assert (sandbox.state, repr(sandbox)) == ("failed", "Sandbox('tiny', failed)")


CHATTY = r"""
import sys
said = [b'a library says hi', b'\xff', b'{"event": "ready"', b'[1]', b'{"event": "listening"}', b'{"event": "ended"}']
sys.stdout.buffer.write(b"\n".join(said) + b"\n")
"""


def test_what_is_no_event_on_the_childs_output_is_kept_in_the_log_and_harms_nothing(
    tiny_onnx: Artifact, home: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(CHATTY)  # runs as the child's interpreter starts
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with serve(tiny_onnx, "tiny", workers=1, workspace=home) as sandbox:
        assert sandbox.client.predict(IMAGES).shape == (3, 4)
        assert "on standard output: a library says hi" in (sandbox.folder / "stderr.log").read_text(errors="replace")
    assert sandbox.state == "stopped"


def test_a_run_that_cannot_be_written_is_taken_back(
    tiny_onnx: Artifact, home: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(folder: Path, *_: object, **__: object) -> None:
        raise WorkspaceError(f"{folder} cannot be written")

    monkeypatch.setattr("workbench.serve.sandbox.ChildProcess", full)
    before = psutil.Process().num_fds()
    with pytest.raises(WorkspaceError, match="cannot be written"):
        serve(tiny_onnx, "tiny", workers=1, workspace=home)
    assert psutil.Process().num_fds() == before
    assert list(home.runs.iterdir()) == []


def test_damaged_labels_fail_in_one_sentence(tiny_onnx: Artifact, home: Workspace) -> None:
    Store.of(home).publish(tiny_onnx, "tiny")
    (home.models / "tiny" / "labels.json").write_text("[]")
    with pytest.raises(ServingError, match=r"labels\.json must map labels to version numbers"):
        serve(tiny_onnx, "tiny", workers=1, workspace=home)


PARENT = """
import sys, threading
from workbench.core.artifact import Artifact
from workbench.core.workspace import Workspace
from workbench.serve.sandbox import serve

started = []
def start():  # on a thread that ends, as a callback's does
    started.append(serve(Artifact.load(sys.argv[1]), "tiny", workers=1, workspace=Workspace.at(sys.argv[2])))

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
    (worker,) = psutil.Process(child).children()
    parent.kill()
    for pid in (child, worker.pid):
        wait_gone(pid, 5)


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
        with serve(tiny_onnx, "tiny", port=port, workers=1, workspace=home) as sandbox:
            chosen = sandbox.url.rpartition(":")[2]
            assert chosen != str(port)
            assert sandbox.note == f"port {port} cannot be used (Address already in use), so {chosen} was chosen"
            assert sandbox.client.predict(IMAGES).shape == (3, 4)


def test_the_verb_in_a_notebook_at_a_port_of_ones_own(tiny_onnx: Artifact, home: Workspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    async def cell() -> None:  # a kernel's event loop runs while a cell does
        with workbench.serve(tiny_onnx, name="tiny", port=port, workers=1, workspace=home, wait=False) as sandbox:
            assert sandbox.state == "starting"
            with pytest.raises(ServingError, match="is starting"):
                sandbox.client  # noqa: B018
            assert sandbox.wait().state == "ready"
            assert (sandbox.url, sandbox.note) == (f"http://127.0.0.1:{port}", "")

    asyncio.run(cell())


def test_stop_while_starting(tiny_onnx: Artifact, home: Workspace) -> None:
    sandbox = serve(tiny_onnx, "tiny", workers=1, workspace=home, wait=False)
    sandbox.stop()
    assert sandbox.state == "stopped"
    assert sandbox.pid is None or not psutil.pid_exists(sandbox.pid)
    with pytest.raises(ServingError, match="was stopped"):
        sandbox.wait()


@pytest.fixture
def truncated(tiny_onnx: Artifact, home: Workspace) -> Store:
    """A store whose version 1 of `tiny` was cut in half."""
    store = Store.of(home)
    file = store.base / "tiny" / str(store.publish(tiny_onnx, "tiny")) / "model.onnx"
    file.write_bytes(file.read_bytes()[:40])
    return store


def test_a_truncated_model_fails_in_one_sentence(truncated: Store, home: Workspace) -> None:
    sandbox = start(ServeSettings(name="tiny", workers=1), truncated, [1], home)
    assert sandbox.wait_end(30) == "failed"
    assert sandbox.error is not None
    assert sandbox.error.startswith("model.onnx must have sha256 ")
    assert "truncated or changed" in sandbox.error
    assert str(home.home) not in sandbox.error
    with pytest.raises(ServingError, match="truncated or changed"):
        sandbox.wait()


def test_a_damaged_version_is_replaced_and_leaves_the_good_one(
    truncated: Store, tiny_onnx: Artifact, home: Workspace
) -> None:
    assert truncated.publish(tiny_onnx, "tiny") == 2
    with start(ServeSettings(name="tiny", workers=1), truncated, [1, 2], home).wait() as sandbox:
        newest, broken = sandbox.client.status()
        assert (newest.version, newest.state, newest.error) == (2, "AVAILABLE", "")
        assert (broken.version, broken.state) == (1, "END")
        assert "truncated or changed" in broken.error
        assert sandbox.client.predict(IMAGES, version=2).shape == (3, 4)
        assert (sandbox.versions, sandbox.stats().version) == ((2,), "2")


def test_no_model_at_all_fails_in_one_sentence(tmp_path: Path, home: Workspace) -> None:
    folder = tmp_path / "no-model"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"these are no protocol buffers")
    artifact = Artifact.write(folder, file="model.onnx", name="no", format="onnx", numeric="float32")
    with pytest.raises(
        ServingError, match=r"model\.onnx must be a model that the onnx (engine|runtime) can open"
    ) as caught:
        serve(artifact, "no", workspace=home)
    assert str(home.home) not in str(caught.value)


@pytest.mark.parametrize("name", ["../x", "a/b", "a:b", ""])
def test_a_name_stays_in_the_store(tiny_onnx: Artifact, home: Workspace, name: str) -> None:
    with pytest.raises(BadInputError, match=r"^name must"):
        serve(tiny_onnx, name, workspace=home)
    assert not home.home.exists()


def test_it_loads_no_framework_and_listens_here_only(served: Sandbox) -> None:
    supervisor = psutil.Process(served.pid)
    workers = supervisor.children()
    assert workers
    loaded = [entry.path for process in (supervisor, *workers) for entry in process.memory_maps()]
    assert not any("tensorflow" in path for path in loaded)
    connections = [each for process in workers for each in process.net_connections()]
    addresses = {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN}
    assert {each.removeprefix("::ffff:") for each in addresses} == {"127.0.0.1"}
