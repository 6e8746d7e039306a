"""`grpc.health.v1.Health`, as `grpc_health_probe` and Kubernetes ask it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc

from workbench.serve.grpc.call import add_service, refuse
from workbench.serve.grpc.messages import enum_numbers, message, parse
from workbench.serve.status import RequestError, not_found

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    from workbench.serve.grpc.call import Call
    from workbench.serve.models import Models

NAME = "grpc.health.v1.Health"

_STATUS = "grpc.health.v1.HealthCheckResponse.ServingStatus"
_SECONDS_BETWEEN_LOOKS = 0.25


class HealthService:
    """Serving when every model has a version that answers, as `/healthz` of the REST door."""

    def __init__(self, models: Models, services: Collection[str]) -> None:
        self._models = models
        self._services = {"", NAME, *services}

    def add_to(self, server: grpc.aio.Server) -> None:
        """Make a server answer for it."""
        add_service(server, NAME, {"Check": self.check})
        watch = grpc.unary_stream_rpc_method_handler(self.watch)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, {"Watch": watch}),))

    async def check(self, request: Any, call: Call) -> Any:  # noqa: ARG002 - all methods have one form
        """Answer with the state of a service, or of the whole server where none is named."""
        if request.service not in self._services:
            raise not_found("unknown service")
        return _reply(self._state(request.service))

    async def watch(self, data: bytes, context: Any) -> AsyncIterator[bytes]:
        """Answer with a service's state now and whenever it changes."""
        try:
            request = parse(message("grpc.health.v1.HealthCheckRequest"), data)
        except RequestError as error:
            await refuse(context, error)
            raise
        told = ""
        while True:
            state = self._state(request.service)
            if state != told:
                told = state
                yield _reply(state).SerializeToString()
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)

    def _state(self, service: str) -> str:
        if service not in self._services:
            return "SERVICE_UNKNOWN"
        return "SERVING" if self._models.loaded() else "NOT_SERVING"


def _reply(state: str) -> Any:
    return message("grpc.health.v1.HealthCheckResponse")(status=enum_numbers(_STATUS)[state])
