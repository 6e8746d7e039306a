"""REST ports in this process, over models written in NumPy, with limits and keys of a test's choice."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest
import uvicorn
import uvloop

from workbench.serve.control import NoControl
from workbench.serve.counters import Counters
from workbench.serve.inference import Inference
from workbench.serve.limits import Limits
from workbench.serve.models import Model, Models
from workbench.serve.rest.app import rest_app
from workbench.serve.rest.server import http_config
from workbench.serve.security import Security
from workbench.serve.servable import Servable
from workbench.serve.signature import DEFAULT, Signature, Tensor

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping

BODY = b'{"instances": [[1, 2]]}'


@dataclass
class Gate:
    """A model, `x` (n, 2) -> its double, that may be made to wait.

    Attributes:
        open: It answers; otherwise it waits until it is opened.
        entered: Released once for each run that began.
        runs: Runs so far.
    """

    platform: ClassVar = "test"

    open: threading.Event = field(default_factory=threading.Event)
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    runs: int = 0

    signatures = {  # noqa: RUF012 - an engine's face
        DEFAULT: Signature((Tensor("x", "float32", (-1, 2)),), (Tensor("y", "float32", (-1, 2)),))
    }

    def run(self, signature: str, feeds: Mapping[str, Any]) -> dict[str, Any]:
        assert signature == DEFAULT
        self.runs += 1
        self.entered.release()
        time.sleep(0.004)  # a slow model is run beside the loop
        self.open.wait(30)
        return {"y": np.asarray(feeds["x"]) * 2}

    def close(self) -> None:
        pass


@dataclass
class Port:
    """A port and what one asks it.

    Attributes:
        number: TCP port on 127.0.0.1.
        gate: The model behind `/v1/models/gate`.
        counters: Its counts.
        server: uvicorn's server.
    """

    number: int
    gate: Gate
    counters: Counters
    server: uvicorn.Server

    def connect(self, tls: ssl.SSLContext | None = None) -> socket.socket:
        """Open a connection, over TLS where told how."""
        connection = socket.create_connection(("127.0.0.1", self.number), timeout=10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection if tls is None else tls.wrap_socket(connection, server_hostname="localhost")

    def raw(self, data: bytes, *, tls: ssl.SSLContext | None = None, eof: bool = False) -> bytes:
        """Send bytes and return all that comes until the server closes."""
        with self.connect(tls) as connection:
            connection.sendall(data)
            if eof:
                connection.shutdown(socket.SHUT_WR)
            return read_all(connection)

    def ask(
        self, method: str, path: str, body: bytes = b"", tls: ssl.SSLContext | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask once; returns status, headers and body."""
        return parse(self.raw(request(method, path, body, connection="close", **headers), tls=tls))

    def predict(self, body: bytes = BODY, **headers: str) -> tuple[int, dict[str, str], Any]:
        """Ask the model once; returns status, headers and document."""
        status, received, reply = self.ask("POST", "/v1/models/gate:predict", body, **headers)
        return status, received, json.loads(reply)

    def connections(self) -> int:
        """Count the server's connections."""
        return len(self.server.server_state.connections)


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """Write a request; an underscore in a header's name is a dash."""
    lines = [f"{method} {path} HTTP/1.1", "host: x", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def read_all(connection: socket.socket) -> bytes:
    """Return what comes until the peer closes."""
    received = b""
    while part := connection.recv(65536):
        received += part
    return received


def read_reply(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Read one reply of a connection that stays open."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        assert part, f"closed after {received!r}"
        received += part
    length = int(parse(received)[1]["content-length"])
    while len(received.partition(b"\r\n\r\n")[2]) < length:
        received += connection.recv(65536)
    return parse(received)


def parse(reply: bytes) -> tuple[int, dict[str, str], bytes]:
    """Split a reply into status, headers and body."""
    head, _, body = reply.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    return int(status.split()[1]), {name.lower(): value for name, value in pairs}, body


def wait_until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    """Return when something is so; look every few milliseconds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came true"
        threading.Event().wait(0.005)


@contextmanager
def _port(limits: Limits, security: Security, *, cors: bool) -> Iterator[Port]:
    gate = Gate()
    gate.open.set()
    servable = Servable("gate", 1, lambda: gate)
    servable.load()
    gate.entered, gate.runs = threading.Semaphore(0), 0
    models = Models({"gate": Model({1: servable})})
    counters = Counters(models.names())
    ready = threading.Event()
    port: list[Port] = []

    async def run() -> None:
        inference = Inference(models, counters)
        app = rest_app(inference, NoControl(models), limits, security, cors=cors)
        server = uvicorn.Server(http_config(app, limits, security))
        listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        port.append(Port(listener.getsockname()[1], gate, counters, server))
        ready.set()
        await server._serve([listener])
        inference.close()

    def begin() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as a worker does
            runner.run(run())

    thread = threading.Thread(target=begin)
    thread.start()
    assert ready.wait(10)
    try:
        yield port[0]
    finally:
        gate.open.set()
        port[0].server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def _shared_port() -> Iterator[Port]:
    with _port(Limits(), Security(), cors=False) as port:
        yield port


@pytest.fixture
def port(_shared_port: Port) -> Port:
    """A port with the default limits, shared by tests that leave it as it was."""
    _shared_port.gate.entered, _shared_port.gate.runs = threading.Semaphore(0), 0
    _shared_port.gate.open.set()
    return _shared_port


@pytest.fixture(scope="session")
def quick() -> Iterator[Port]:
    """A port of little patience, shared in the same way."""
    with _port(Limits(header_seconds=0.3, idle_seconds=0.6), Security(), cors=False) as port:
        yield port


@pytest.fixture
def open_port() -> Iterator[Callable[..., Port]]:
    """Open a port: `open_port(limits={…}, security=…, cors=…)`."""
    with ExitStack() as stack:

        def begin(limits: Mapping[str, Any] | None = None, security: Security | None = None, **more: Any) -> Port:
            cors = bool(more.get("cors", False))
            return stack.enter_context(_port(Limits(**(limits or {})), security or Security(), cors=cors))

        yield begin


@pytest.fixture
def reading() -> Any:
    """How requests are written and replies read, as a namespace."""
    from types import SimpleNamespace

    return SimpleNamespace(
        request=request, read_all=read_all, read_reply=read_reply, parse=parse, wait_until=wait_until
    )


@pytest.fixture(scope="module")
def keyed_port() -> Iterator[Callable[[Security], Port]]:
    """Open a port that asks for keys, for all tests of a module."""
    with ExitStack() as stack:
        yield lambda security: stack.enter_context(_port(Limits(), security, cors=False))
