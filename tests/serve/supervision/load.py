"""All protocols at once, by threads that ask without pause, and one that breaks off what it began."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import time
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import grpc
import numpy as np
import psutil

from tests.serve.grpc.door import outputs_of, predict_request
from tests.serve.unceasing import Unceasing
from workbench.serve.grpc.messages import message

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.serve.sandbox import Sandbox

PREDICT = "/v1/models/m:predict"
INFER = "/v2/models/m/infer"
ROWS = b'{"instances": [[1.0, 1.0]]}'


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


class Load(Unceasing):
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
        self._stack = ExitStack()
        works = [partial(self._ask, one) for one in askers(sandbox, self._stack)]
        super().__init__([*works, self._break_off])

    def __exit__(self, *how: object) -> None:
        super().__exit__(*how)
        self._stack.close()

    def _ask(self, ask: Callable[[], float]) -> None:
        while not self.over.is_set():
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
        while not self.over.wait(0.05):
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
