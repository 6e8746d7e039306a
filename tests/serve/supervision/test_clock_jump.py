"""Somebody sets the clock of the machine, a day ahead and a day back: whoever waits waits as long as before."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import struct
import subprocess
import time
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import numpy as np
import pytest

from tests.serve.grpc.door import outputs_of, predict_request
from tests.serve.supervision.load import Load, over_rest
from tests.serve.unceasing import until
from workbench.serve.grpc.messages import message
from workbench.serve.limits import Limits
from workbench.serve.sandbox import Sandbox, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbench.core.artifact import Artifact
    from workbench.core.workspace import Workspace

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(shutil.which("cc") is None, reason="a C compiler is needed to move a process' clock"),
    pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux preloads"),
]

DAY = 86400
STALL_SECONDS = 1.5


class Clock:
    """The time of day of the servers that are started now."""

    def __init__(self, folder: Path) -> None:
        self.library, self.file = folder / "clock.so", folder / "moved"
        source = Path(__file__).with_name("clock.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", self.library, source], check=True)
        self.file.write_bytes(struct.pack("q", 0))

    def move(self, seconds: int) -> None:
        """Set it so many seconds off the true time."""
        with self.file.open("r+b") as file:
            file.write(struct.pack("q", seconds))


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock(tmp_path)
    monkeypatch.setenv("LD_PRELOAD", str(found.library))
    monkeypatch.setenv("MOVED_CLOCK", str(found.file))
    return found


@pytest.fixture
def sandbox(clock: Clock, numbered: Callable[[int], Artifact], home: Workspace) -> Iterator[Sandbox]:
    assert clock.library.is_file()
    limits = Limits(header_seconds=STALL_SECONDS, request_seconds=20, idle_seconds=60)
    with serve(numbered(1), "m", workers=2, workspace=home, limits=limits) as sandbox:
        yield sandbox


def off_by(sandbox: Sandbox) -> float:
    """How far off the true time a server says that it is, seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", int(sandbox.url.rpartition(":")[2]), timeout=10)
    connection.request("GET", "/healthz")
    reply = connection.getresponse()
    reply.read()
    connection.close()
    return parsedate_to_datetime(reply.headers["date"]).timestamp() - time.time()


def stall(sandbox: Sandbox) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", int(sandbox.url.rpartition(":")[2])), timeout=20)
    connection.sendall(b"POST /v1/models/m:predict HTTP/1.1\r\nHost: x\r\n")
    return connection


@pytest.mark.parametrize("days", [1, -1])
def test_a_day_ahead_and_a_day_back(
    sandbox: Sandbox, clock: Clock, numbered: Callable[[int], Artifact], days: int
) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    idle = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    over_rest(idle)
    with Load(sandbox) as load, grpc.insecure_channel(sandbox.grpc) as channel:
        begin = time.monotonic()
        stalled = stall(sandbox)
        clock.move(days * DAY)
        until(lambda: abs(off_by(sandbox) - days * DAY) < 10)  # the server does see it
        # A stalled client is let go when it always was, whatever the time of day.
        assert stalled.recv(100).startswith(b"HTTP/1.1 408 ")
        assert STALL_SECONDS - 0.1 <= time.monotonic() - begin <= STALL_SECONDS + 5
        stalled.close()
        # A call's deadline is neither over nor for ever.
        call = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        asked = predict_request("m", x=np.ones((1, 2), np.float32)).SerializeToString()
        reply = message("tensorflow.serving.PredictResponse").FromString(call(asked, timeout=5))
        assert outputs_of(reply)["y"].tolist() == [[1.0, 1.0]]
        # Versions come and go, and who died is replaced.
        sandbox.publish(numbered(2))
        assert sandbox.client.predict(np.ones((1, 2), np.float32)).tolist() == [[2.0, 2.0]]
        clock.move(0)
        sandbox.publish(numbered(3))
        until(lambda: 3.0 in load.factors)
        assert 0 <= sandbox.stats().uptime_s < 120
    assert load.failures == []
    over_rest(idle)  # nobody took it for one that was idle for a day
    idle.close()
    clock.move(days * DAY)
    os.kill(sandbox.workers[0].pid, signal.SIGKILL)
    until(lambda: (sandbox.workers[0].state, sandbox.workers[0].restarts) == ("ready", 1))
    begin = time.monotonic()
    sandbox.stop()
    assert time.monotonic() - begin < 10
    assert sandbox.state == "stopped"
