"""The doors of one worker: opened on ports that the supervisor holds, closed when all that was asked is answered."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import uvicorn

from workbench.serve.addresses import host_port
from workbench.serve.oip.kserve_v1 import oip_port_app
from workbench.serve.rest.app import rest_app
from workbench.serve.rest.guarded import Guarded
from workbench.serve.rest.server import BACKLOG, http_config
from workbench.serve.supervision.ports import deafen, listener

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping

    from starlette.types import ASGIApp

    from workbench.serve.control import Control
    from workbench.serve.inference import Inference
    from workbench.serve.settings import ServeSettings

_LATEST = 256  # connections that are still taken while the listener closes; more are refused
_LINGER_SECONDS = 0.2  # clients that ask all the time learn in it that their connection ends
_SHARED = (("grpc.so_reuseport", 1),)


class Doors:
    """Listens for one worker."""

    def __init__(self, settings: ServeSettings, inference: Inference, control: Control) -> None:
        self._settings = settings
        self._inference = inference
        self._control = control
        self._servers: list[tuple[HttpServer, asyncio.Task[None]]] = []
        self._grpc: Any = None

    async def open(self, ports: Mapping[str, int], *, first: bool) -> None:
        """Listen on every port that is held.

        Args:
            ports: Numbers by door: `rest`, and perhaps `grpc` and `oip`.
            first: This worker is the one that listens where only one can: on a Unix socket.
        """
        settings = self._settings
        app = rest_app(
            self._inference, self._control, settings.limits, settings.security,
            cors=settings.cors, metrics_path=settings.metrics_path,
        )  # fmt: skip
        await self._serve(app, ports["rest"])
        if "oip" in ports:
            inference = self._inference
            its_own = oip_port_app(inference.models, app)  # what that answers itself, no other guard sees
            guarded = Guarded(its_own, inference.counters, settings.limits, settings.security, app.express)
            await self._serve(guarded, ports["oip"])
        addresses = [host_port(settings.host, ports["grpc"])] if "grpc" in ports else []
        if settings.grpc_socket and first:
            addresses.append(f"unix:{settings.grpc_socket}")
        if addresses:
            await self._open_grpc(addresses)

    async def close(self, seconds: float) -> None:
        """Take nothing new, answer what is in flight, at most so many seconds, and close."""
        self._inference.models.draining = True
        closing = [server.close() for server, _ in self._servers]
        if self._grpc is not None:
            closing.append(self._grpc.stop(seconds))
        await asyncio.gather(*closing, return_exceptions=True)
        if self._servers:
            await asyncio.wait([task for _, task in self._servers], timeout=seconds + 1)

    async def _serve(self, app: ASGIApp, port: int) -> None:
        settings = self._settings
        config = http_config(app, settings.limits, settings.security, drain_seconds=settings.drain_seconds)
        server = HttpServer(config, settings.limits.header_seconds)
        sockets = [listener(settings.host, port, BACKLOG)]
        task = asyncio.create_task(server.serve(sockets=sockets))
        self._servers.append((server, task))
        await server.listening.wait()

    async def _open_grpc(self, addresses: list[str]) -> None:
        from workbench.serve.grpc.server import channel_arguments, grpc_server, open_port
        from workbench.serve.oip import grpc_service

        settings = self._settings
        self._grpc = grpc_server(
            self._inference, self._control, settings.limits, settings.security,
            health=settings.grpc_health, tensor_content=settings.grpc_tensor_content,
            channel_arguments=(*channel_arguments(settings.grpc_channel_arguments), *_SHARED),
        )  # fmt: skip
        grpc_service.add_to(self._grpc, self._inference, self._control)
        for address in addresses:
            open_port(self._grpc, address, settings.security)
        await self._grpc.start()


class HttpServer(uvicorn.Server):
    """uvicorn's server without its signals, which are the worker's, and with a listener that loses nobody."""

    def __init__(self, config: uvicorn.Config, handshake_seconds: float) -> None:
        super().__init__(config)
        self._handshake_seconds = None if config.ssl is None else handshake_seconds
        self.listening = asyncio.Event()
        self._sockets: list[socket.socket] = []

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        loop = asyncio.get_running_loop()
        self._sockets = list(sockets or [])
        self.servers = [
            await loop.create_server(
                self._protocol,
                sock=each,
                ssl=self.config.ssl,
                backlog=self.config.backlog,
                ssl_handshake_timeout=self._handshake_seconds,  # uvicorn's own would be a minute
            )
            for each in self._sockets
        ]
        self.started = True
        self.listening.set()

    async def close(self) -> None:
        """Begin to end."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, answer all that had reached this machine by then, and end."""
        loop = asyncio.get_running_loop()
        for each in self._sockets:
            deafen(each)
            with contextlib.suppress(OSError):
                for _ in range(_LATEST):
                    accepted, _ = each.accept()
                    await loop.connect_accepted_socket(self._protocol, accepted, ssl=self.config.ssl)
        for server in self.servers:
            server.close()
        # Whoever asks on a connection that is open is answered, and told to close it: none is cut while it asks.
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        await asyncio.sleep(_LINGER_SECONDS)
        await super().shutdown(sockets=sockets)

    def _protocol(self) -> asyncio.Protocol:
        found: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return found
