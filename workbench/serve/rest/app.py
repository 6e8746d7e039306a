"""The REST door: a thin Starlette application over `handlers.Handler`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from workbench.serve import metrics
from workbench.serve.rest.body import TooLargeError, inflate, read_body
from workbench.serve.rest.handler import Handler, health_body, refuse, stats_body
from workbench.serve.rest.json_write import write_error
from workbench.serve.status import RequestError

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from workbench.serve.inference import Inference

STATS_PATH = "/monitoring/stats"

_JSON = "application/json"


def rest_app(inference: Inference, max_body_bytes: int) -> Starlette:
    """Return the ASGI application.

    Args:
        inference: What answers.
        max_body_bytes: Largest body, also after inflation; more is answered with 413.
    """
    models, counters = inference.models, inference.counters
    page = metrics.MetricsPage(counters)

    async def healthz(_: Request) -> Response:
        code, body = health_body(models)
        return Response(body, code.http, media_type=_JSON)

    async def prometheus(_: Request) -> Response:
        return Response(page.render(), headers={"content-type": metrics.CONTENT_TYPE})

    async def stats(_: Request) -> Response:
        return Response(stats_body(models, counters), media_type=_JSON)

    app = Starlette(
        routes=[
            Route("/healthz", healthz),
            Route(metrics.PATH, prometheus),
            Route(STATS_PATH, stats),
        ]
    )
    app.router.redirect_slashes = False
    # Not a route: Starlette matches decoded paths, and none with a line break in it.
    app.router.default = ServingDoor(Handler(inference), max_body_bytes)
    return app


class ServingDoor:
    """Everything under `/v1/`, as raw ASGI: the path is matched as it was sent, percent-encoded."""

    def __init__(self, handler: Handler, limit: int) -> None:
        self._handler = handler
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            response = await self._respond(Request(scope, receive))
        except ClientDisconnect:
            return  # nobody is there to be answered
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        path = request.scope["raw_path"].decode("latin-1").partition("?")[0]
        if not path.lower().startswith("/v1/"):
            return Response(write_error("Not Found"), 404, media_type=_JSON)
        try:
            body = await read_body(request, self._limit)
            if _gzipped(request):
                body = await asyncio.to_thread(inflate, body, self._limit)
            reply = await self._handler(request.method, path, body)
        except TooLargeError:
            # What the client still sends is not read: the connection cannot be used again.
            body = write_error(f"The request body must be at most {self._limit} bytes")
            return Response(body, 413, {"connection": "close"}, media_type=_JSON)
        except RequestError as error:
            reply = refuse(error)
        return Response(reply.body, reply.code.http, media_type=_JSON)


def _gzipped(request: Request) -> bool:
    return request.headers.get("content-encoding", "").strip().lower() in ("gzip", "x-gzip")
