"""A server in a thread of this process: both HTTP ports and all gRPC services over small models."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn

from tests.serve.oip.models import Shelf, small_models
from workbench.serve.counters import Counters
from workbench.serve.grpc.server import grpc_server
from workbench.serve.inference import Inference
from workbench.serve.limits import Limits
from workbench.serve.oip.grpc_service import add_to
from workbench.serve.oip.kserve_v1 import oip_port_app
from workbench.serve.rest.app import rest_app
from workbench.serve.rest.server import http_config
from workbench.serve.security import Security

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Running:
    """A server.

    Attributes:
        rest: `HOST:PORT` of TensorFlow Serving's REST, and V2.
        http: `HOST:PORT` of KServe's V1, and V2.
        grpc: `HOST:PORT` of all gRPC services.
        counters: Its counts.
    """

    rest: str
    http: str
    grpc: str
    counters: Counters


@contextmanager
def running() -> Iterator[Running]:
    """Run a server as long as the context lasts."""
    models = small_models()
    counters = Counters(models.names())
    started: list[tuple[Running, list[uvicorn.Server]]] = []
    ready = threading.Event()

    async def run() -> None:
        inference, control, limits, security = Inference(models, counters), Shelf(models), Limits(), Security()
        rest = rest_app(inference, control, limits, security)
        apps = (rest, oip_port_app(models, rest))
        servers = [uvicorn.Server(http_config(app, limits, security)) for app in apps]
        listeners = [socket.create_server(("127.0.0.1", 0)) for _ in apps]
        remote = grpc_server(inference, control, limits, security)
        add_to(remote, inference, control)
        numbers = [*(one.getsockname()[1] for one in listeners), remote.add_insecure_port("127.0.0.1:0")]
        await remote.start()
        started.append((Running(*(f"127.0.0.1:{number}" for number in numbers), counters), servers))
        ready.set()
        await asyncio.gather(*(one._serve([where]) for one, where in zip(servers, listeners, strict=True)))
        await remote.stop(None)
        inference.close()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert ready.wait(10)
    found, servers = started[0]
    try:
        yield found
    finally:
        for server in servers:
            server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()
