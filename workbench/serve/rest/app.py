"""The REST door: raw ASGI over `handler.Handler`, which answers what is under `/v1/`."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
from typing import TYPE_CHECKING, Any

from workbench.serve import metrics
from workbench.serve.rest.body import Bodies, GoneError, TooLargeError
from workbench.serve.rest.handler import Handler, health_body, stats_body
from workbench.serve.rest.json_write import write_error
from workbench.serve.rest.overdue import Overdue
from workbench.serve.rest.replies import Reply, error_reply, json_reply, not_found_page, preflight
from workbench.serve.security import Guard, acting, find_key, role_of_path
from workbench.serve.status import Code, RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from workbench.serve.control import Control
    from workbench.serve.inference import Inference
    from workbench.serve.limits import Limits
    from workbench.serve.security import Security

STATS_PATH = "/monitoring/stats"

_log = logging.getLogger(__name__)


def rest_app(
    inference: Inference, control: Control, limits: Limits, security: Security, *, cors: bool = False
) -> RestApp:
    """Return the ASGI application of the REST port.

    Args:
        inference: What answers.
        control: What admin requests change.
        limits: What one client may ask.
        security: Keys, and what each may do.
        cors: Tell browsers that pages of other origins may ask.
    """
    v2 = _open_inference(inference, control, limits)
    return RestApp(inference, limits, Guard(security), v2, cors=cors)


class RestApp:
    """Health, metrics, `/v1` as TensorFlow Serving has it, and `/v2`."""

    def __init__(
        self, inference: Inference, limits: Limits, guard: Guard, v2: ASGIApp | None, *, cors: bool = False
    ) -> None:
        self._inference = inference
        self._handler = Handler(inference)
        self._limits = limits
        self._bodies = Bodies(limits)
        self._overdue = Overdue(limits.request_seconds)
        self._guard = guard
        self._v2 = v2
        self._cors = cors
        self._pages = self._make_pages()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        task = asyncio.current_task()
        if scope["type"] != "http" or task is None:
            return
        once = _Once(send)
        reply: Reply | None
        try:
            reply = await self._reply(scope, receive, once, task)
        except GoneError:
            return
        except asyncio.CancelledError:
            reply = self._on_cancel(task)
        except RequestError as error:
            reply = error_reply(error.code, error.message)
        except Exception:  # noqa: BLE001 - a request must never end the server
            _log.exception("internal error")
            reply = error_reply(Code.INTERNAL, "Internal error; the server's log says more")
        finally:
            self._overdue.end(task)
        if reply is not None and not once.begun:
            await reply.send(send)

    async def _reply(self, scope: Scope, receive: Receive, once: _Once, task: asyncio.Task[Any]) -> Reply | None:
        path: str = scope["raw_path"].decode("latin-1")
        is_v1 = path[:4].lower() == "/v1/"
        if is_v1 and scope["method"] == "OPTIONS":
            return preflight(scope["headers"], cors=self._cors, keys=self._guard.active)
        if self._guard.active or not is_v1:
            self._admit(scope, path)
        if is_v1:
            return await self._v1(scope, path, receive, task)
        page = self._pages.get(path)
        if page is not None:
            return page() if scope["method"] in ("GET", "HEAD") else _not_allowed()
        if self._v2 is not None and (path.startswith("/v2/") or path == "/v2"):
            await self._v2(scope, self._timed(receive, task), once.send)
            return None
        return not_found_page()

    async def _v1(self, scope: Scope, path: str, receive: Receive, task: asyncio.Task[Any]) -> Reply:
        body = b""
        try:
            body = await self._bodies.read(scope, receive)
            self._check_values(body)
            self._overdue.begin(task)
            answer = await self._handler(scope["method"], path, body)
            reply = json_reply(answer.code, answer.body)
        except TooLargeError as error:
            # What the client still sends is not read: the connection cannot be used again.
            reply = Reply(413, write_error(str(error)), close=True)
        except RequestError as error:
            reply = error_reply(error.code, error.message)
        finally:
            self._bodies.release(body)
        return reply.with_cors(keys=self._guard.active) if self._cors else reply

    def _admit(self, scope: Scope, path: str) -> None:
        role = role_of_path(path)
        if role is None:
            return
        key = self._guard.require(role, find_key(scope["headers"]))
        if role == "admin":
            client = scope.get("client")
            acting(key, f"{client[0]}:{client[1]}" if client else "")

    def _check_values(self, body: bytes) -> None:
        most = self._limits.values
        if len(body) > 2 * most and body.count(b",") >= most:
            raise TooLargeError(f"The request must have at most {most} values")

    def _timed(self, receive: Receive, task: asyncio.Task[Any]) -> Receive:
        async def timed() -> Message:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body", False):
                self._overdue.begin(task)  # however long the client took to send it
            return message

        return timed

    def _on_cancel(self, task: asyncio.Task[Any]) -> Reply:
        task.uncancel()
        if self._overdue.end(task):
            code, message = Code.DEADLINE_EXCEEDED, "Deadline exceeded"
        else:  # the server stops, or the client is gone and reads no reply
            code, message = Code.UNAVAILABLE, "The server is stopping"
        self._inference.counters.count_request("", code.name)
        return error_reply(code, message)

    def _make_pages(self) -> dict[str, Callable[[], Reply]]:
        models, counters = self._inference.models, self._inference.counters
        page = metrics.MetricsPage(counters)
        kind = metrics.CONTENT_TYPE.encode()
        return {
            "/healthz": lambda: json_reply(*health_body(models)),
            metrics.PATH: lambda: Reply(200, page.render(), kind),
            STATS_PATH: lambda: Reply(200, stats_body(models, counters)),
        }


class _Once:
    """Knows whether a reply has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    async def send(self, message: Message) -> None:
        self.begun = True
        await self._send(message)


def _not_allowed() -> Reply:
    return Reply(405, write_error("Method not allowed"), headers=((b"allow", b"GET, HEAD"),))


def _open_inference(inference: Inference, control: Control, limits: Limits) -> ASGIApp | None:
    if importlib.util.find_spec("workbench.serve.oip.app") is None:
        return None
    from workbench.serve.oip.app import oip_app

    return oip_app(inference, control, limits)
