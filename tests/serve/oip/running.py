"""A server in a thread of this process: the extra HTTP port and the gRPC service over small models."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc
import uvicorn

from tests.serve.oip.models import Shelf, small_models
from workbench.serve.counters import Counters
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
        http: `HOST:PORT` of V1 and V2.
        grpc: `HOST:PORT` of the gRPC service.
        counters: Its counts.
    """

    http: str
    grpc: str
    counters: Counters


@contextmanager
def running() -> Iterator[Running]:
    """Run a server as long as the context lasts."""
    models = small_models()
    counters = Counters(models.names())
    started: list[tuple[Running, uvicorn.Server]] = []
    ready = threading.Event()

    async def run() -> None:
        inference, control, limits = Inference(models, counters), Shelf(models), Limits()
        app = oip_port_app(models, rest_app(inference, control, limits, Security()))
        server = uvicorn.Server(http_config(app, limits, Security()))
        listener = socket.create_server(("127.0.0.1", 0))
        remote = grpc.aio.server()
        add_to(remote, inference, control)
        number = remote.add_insecure_port("127.0.0.1:0")
        await remote.start()
        http = f"127.0.0.1:{listener.getsockname()[1]}"
        started.append((Running(http, f"127.0.0.1:{number}", counters), server))
        ready.set()
        await server._serve([listener])
        await remote.stop(None)
        inference.close()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert ready.wait(10)
    found, server = started[0]
    try:
        yield found
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()
