"""Everything at once for a long time: all protocols, new versions, clients that break off. Nothing is lost or left."""

from __future__ import annotations

import http.client
import itertools
import json
import socket
import struct
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

import grpc
import numpy as np
import psutil
import pytest

from tests.serve.grpc.door import outputs_of, predict_request
from workbench.serve.grpc.messages import message
from workbench.serve.sandbox import Sandbox, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbench.core.artifact import Artifact
    from workbench.core.workspace import Workspace

pytestmark = pytest.mark.faults

MIB = 1 << 20
PREDICT = "/v1/models/m:predict"
INFER = "/v2/models/m/infer"
ROWS = b'{"instances": [[1.0, 1.0]]}'
NUMBERS = itertools.cycle(range(1, 8))
SECONDS_A_VERSION = 1.5


def over_rest(connection: http.client.HTTPConnection, path: str = PREDICT, body: bytes = ROWS) -> bytes:
    connection.request("POST", path, body)
    reply = connection.getresponse()
    content = reply.read()
    assert reply.status == 200, content
    return content


def askers(sandbox: Sandbox, stack: ExitStack) -> list[Callable[[], float]]:
    """Ways to ask for the factor of the version that answers, each over connections of its own."""
    port = int(sandbox.url.rpartition(":")[2])

    def rest() -> Callable[[], float]:
        connection = stack.enter_context(_closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)))
        return lambda: float(json.loads(over_rest(connection))["predictions"][0][0])

    def rest_each_anew() -> float:
        with _closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            return float(json.loads(over_rest(connection))["predictions"][0][1])

    def v2() -> Callable[[], float]:
        connection = stack.enter_context(_closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)))
        tensor = {"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 1]}
        body = json.dumps({"inputs": [tensor]}).encode()
        return lambda: float(json.loads(over_rest(connection, INFER, body))["outputs"][0]["data"][0])

    def remote() -> Callable[[], float]:
        call = _channel(sandbox, stack).unary_unary("/tensorflow.serving.PredictionService/Predict")
        asked = predict_request("m", x=np.ones((1, 2), np.float32)).SerializeToString()
        reply = message("tensorflow.serving.PredictResponse")
        return lambda: float(outputs_of(reply.FromString(call(asked, timeout=30)))["y"][0, 0])

    def remote_v2() -> Callable[[], float]:
        call = _channel(sandbox, stack).unary_unary("/inference.GRPCInferenceService/ModelInfer")
        request = message("inference.ModelInferRequest")(model_name="m")
        request.inputs.add(name="x", datatype="FP32", shape=[1, 2])
        request.raw_input_contents.append(np.ones((1, 2), np.float32).tobytes())
        asked, reply = request.SerializeToString(), message("inference.ModelInferResponse")
        return lambda: float(
            np.frombuffer(reply.FromString(call(asked, timeout=30)).raw_output_contents[0], np.float32)[0]
        )

    return [rest(), rest(), rest_each_anew, v2(), v2(), remote(), remote(), remote_v2(), remote_v2()]


class _closing:  # noqa: N801 - used as contextlib's, which does not know what it yields
    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection

    def __enter__(self) -> http.client.HTTPConnection:
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def _channel(sandbox: Sandbox, stack: ExitStack) -> grpc.Channel:
    options = [("grpc.use_local_subchannel_pool", 1)]  # a connection of its own, to either worker
    return stack.enter_context(grpc.insecure_channel(sandbox.grpc, options))


class Load:
    """Threads that ask without pause, and one that breaks off what it began.

    Attributes:
        answers: Replies so far.
        factors: What they said.
        failures: What went wrong.
        resets: Connections that were reset while the server read from or wrote to them.
        swapping: A new version is on its way.
        steady: Seconds that answers took while none was.
        beside: Seconds that they took while one was.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.answers = 0
        self.factors: set[float] = set()
        self.failures: list[BaseException] = []
        self.resets = 0
        self.swapping = False
        self.steady: list[float] = []
        self.beside: list[float] = []
        self._port = int(sandbox.url.rpartition(":")[2])
        self._over = threading.Event()
        self._stack = ExitStack()
        threads = [threading.Thread(target=self._ask, args=(one,)) for one in askers(sandbox, self._stack)]
        self._threads = [*threads, threading.Thread(target=self._break_off)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self._threads), "a request hangs"
        self._stack.close()

    def _ask(self, ask: Callable[[], float]) -> None:
        while not self._over.is_set():
            begin, swapping = time.perf_counter(), self.swapping
            try:
                self.factors.add(ask())
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told
                self.failures.append(error)
                return
            self.answers += 1
            (self.beside if swapping or self.swapping else self.steady).append(time.perf_counter() - begin)

    def _break_off(self) -> None:
        request = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(ROWS)}\r\n\r\n".encode() + ROWS
        while not self._over.wait(0.05):
            connection = socket.create_connection(("127.0.0.1", self._port), timeout=10)
            connection.sendall(request if self.resets % 2 else request[:-5])
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
            self.resets += 1


class Measured:
    """Memory and descriptors of the processes of a server."""

    def __init__(self, sandbox: Sandbox) -> None:
        supervisor = psutil.Process(sandbox.pid)
        self.processes = [supervisor, *supervisor.children()]

    def memory(self) -> list[int]:
        return [process.memory_info().rss for process in self.processes]

    def files(self) -> list[int]:
        return [process.num_fds() for process in self.processes]


@pytest.fixture
def sandbox(numbered: Callable[[int], Artifact], home: Workspace) -> Iterator[Sandbox]:
    with serve(numbered(1), "m", workers=2, workspace=home) as sandbox:
        yield sandbox


@pytest.mark.parametrize("seconds", [20, pytest.param(900, marks=pytest.mark.slow)])
def test_nothing_is_lost_and_nothing_is_left(
    sandbox: Sandbox, numbered: Callable[[int], Artifact], seconds: float
) -> None:
    measured, idle = Measured(sandbox), Measured(sandbox).files()

    def swap(until: float) -> None:
        while time.monotonic() < until:
            number = next(NUMBERS)
            artifact = numbered(number)
            load.swapping = True
            sandbox.publish(artifact)
            load.swapping = False
            begin = load.answers
            while load.answers == begin:
                threading.Event().wait(0.01)
            threading.Event().wait(SECONDS_A_VERSION)

    begin = time.monotonic()
    with Load(sandbox) as load:
        swap(begin + max(8, seconds / 10))
        memory, files = measured.memory(), measured.files()
        swap(begin + seconds)
        grown = [now - before for now, before in zip(measured.memory(), memory, strict=True)]
        more = [now - before for now, before in zip(measured.files(), files, strict=True)]
    rate = load.answers / (time.monotonic() - begin)
    steady, beside = p99(load.steady), p99(load.beside)
    print(f"p99 {steady * 1000:.1f} ms, beside a new version {beside * 1000:.1f} ms")  # noqa: T201
    print(f"{load.answers} answers, {rate:.0f}/s, {load.resets} resets; grown {grown} bytes, {more} descriptors")  # noqa: T201
    assert load.failures == []
    assert beside <= 3 * steady + 0.02  # a ratio, and a little that a busy machine costs anybody
    assert load.factors <= {float(number) for number in range(1, 8)}
    assert len(load.factors) > 3
    assert load.resets > 5 * seconds
    assert max(grown) <= 8 * MIB
    assert max(more) <= 5
    # Of all that came and went nothing is held any more.
    until(lambda: all(now <= before + 5 for now, before in zip(measured.files(), idle, strict=True)))
    assert [one.restarts for one in sandbox.workers] == [0, 0]


def p99(taken: list[float]) -> float:
    return sorted(taken)[int(0.99 * len(taken))]


def until(holds: Callable[[], Any], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        threading.Event().wait(0.02)
