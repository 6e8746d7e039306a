"""The REST door, with the Open Inference Protocol under `/v2`, in a thread of this process."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from tests.serve.oip.models import Shelf
from workbench.serve.counters import Counters
from workbench.serve.inference import Inference
from workbench.serve.limits import Limits
from workbench.serve.rest.app import rest_app
from workbench.serve.rest.server import http_config
from workbench.serve.security import Security

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.serve.models import Models


@contextmanager
def rest_running(models: Models) -> Iterator[str]:
    """Serve until the block ends; gives `HOST:PORT`."""
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"127.0.0.1:{listener.getsockname()[1]}"  # what is asked before it listens waits in its queue
    servers: list[uvicorn.Server] = []
    made = threading.Event()

    async def run() -> None:
        inference = Inference(models, Counters(models.names()))
        app = rest_app(inference, Shelf(models), Limits(), Security())
        servers.append(uvicorn.Server(http_config(app, Limits(), Security())))
        made.set()
        await servers[0]._serve([listener])
        inference.close()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        assert made.wait(20)
        yield address
    finally:
        servers[0].should_exit = True
        thread.join(20)
        assert not thread.is_alive()
