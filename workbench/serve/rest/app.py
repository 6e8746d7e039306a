"""The REST door: raw ASGI over `handler.Handler`, which answers what is under `/v1/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.serve import metrics
from workbench.serve.arrival import Arrival, arrive
from workbench.serve.oip.app import oip_app
from workbench.serve.oip.handler import Handler as OipHandler
from workbench.serve.rest.body import Bodies, TooLargeError
from workbench.serve.rest.express import Express
from workbench.serve.rest.guarded import Guarded
from workbench.serve.rest.handler import Handler, health_body, stats_body
from workbench.serve.rest.json_write import write_error
from workbench.serve.rest.replies import Reply, error_reply, json_reply, not_found_page, preflight
from workbench.serve.settings import METRICS_PATH
from workbench.serve.status import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from workbench.serve.control import Control
    from workbench.serve.inference import Inference
    from workbench.serve.limits import Limits
    from workbench.serve.security import Security

    Pages = Mapping[str, Callable[[], Reply]]

STATS_PATH = "/monitoring/stats"


def rest_app(
    inference: Inference,
    control: Control,
    limits: Limits,
    security: Security,
    *,
    cors: bool = False,
    metrics_path: str = METRICS_PATH,
) -> Guarded:
    """Return the ASGI application of the REST port: health, metrics, TensorFlow Serving's `/v1`, and `/v2`.

    Args:
        inference: What answers.
        control: What admin requests change.
        limits: What one client may ask.
        security: Keys, and what each may do.
        cors: Tell browsers that pages of other origins may ask.
        metrics_path: Where the page of metrics is.
    """
    handler, v2 = Handler(inference, json_depth=limits.json_depth), OipHandler(inference, control, limits)
    pages = _pages(inference, metrics_path)
    door = RestDoor(handler, limits, oip_app(v2, limits), pages, cors=cors, keys=bool(security.api_keys))
    # The short way asks for no key and tells browsers nothing.
    short = None if cors or security.api_keys else Express(inference, limits, {b"/v1/": handler.plan, b"/v2/": v2.plan})
    return Guarded(door, inference.counters, limits, security, express=short)


class RestDoor:
    """Reads what is asked, and sends what the handler says."""

    def __init__(self, handler: Handler, limits: Limits, v2: ASGIApp, pages: Pages, *, cors: bool, keys: bool) -> None:
        self._handler = handler
        self._values = limits.values
        self._bodies = Bodies(limits)
        self._v2 = v2
        self._cors = cors
        self._keys = keys
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        # The path is matched as it was sent, percent-encoded.
        path: str = scope["raw_path"].decode("latin-1")
        if path[:4].lower() == "/v1/":
            arrive(Arrival("REST", scope["headers"]))
            await (await self._v1(scope, path, receive)).send(send)
        elif path.startswith("/v2/") or path == "/v2":
            arrive(Arrival("OIP", scope["headers"]))
            await self._v2(scope, receive, send)
        else:
            await self._page(path, scope["method"]).send(send)

    async def _v1(self, scope: Scope, path: str, receive: Receive) -> Reply:
        if scope["method"] == "OPTIONS":
            return preflight(scope["headers"], cors=self._cors, keys=self._keys)
        body = b""
        try:
            body = await self._bodies.read(scope, receive)
            self._check_values(body)
            answer = await self._handler(scope["method"], path, body)
            reply = json_reply(answer.code, answer.body)
        except TooLargeError as error:
            # What the client still sends is not read: the connection cannot be used again.
            reply = Reply(413, write_error(str(error)), close=True)
        except RequestError as error:
            reply = error_reply(error.code, error.message)
        finally:
            self._bodies.release(body)
        return reply.with_cors(keys=self._keys) if self._cors else reply

    def _check_values(self, body: bytes) -> None:
        if len(body) > 2 * self._values and body.count(b",") >= self._values:
            raise TooLargeError(f"The request must have at most {self._values} values")

    def _page(self, path: str, method: str) -> Reply:
        page = self._pages.get(path)
        if page is None:
            return not_found_page()
        if method not in ("GET", "HEAD"):
            return Reply(405, write_error("Method not allowed"), headers=((b"allow", b"GET, HEAD"),))
        return page()


def _pages(inference: Inference, metrics_path: str) -> Pages:
    models, counters = inference.models, inference.counters
    page = metrics.MetricsPage(counters)
    return {
        "/healthz": lambda: json_reply(*health_body(models)),
        metrics_path: lambda: Reply(200, page.render(), metrics.CONTENT_TYPE.encode()),
        STATS_PATH: lambda: Reply(200, stats_body(models, counters)),
    }
