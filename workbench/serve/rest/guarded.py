"""What stands before every HTTP application of the server: keys, the time a request may take, and no stack ever."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from workbench.serve.rest.body import GoneError
from workbench.serve.rest.overdue import CLIENT_GONE, Overdue
from workbench.serve.rest.replies import Reply, error_reply
from workbench.serve.security import Guard, acting, find_key, role_of_path
from workbench.serve.status import Code, as_request_error

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from workbench.serve.counters import Counters
    from workbench.serve.limits import Limits
    from workbench.serve.rest.express import Express
    from workbench.serve.security import Security


class Guarded:
    """An ASGI application that only those reach who may, and only as long as a request may take.

    Attributes:
        express: The short way past it, for requests that it would let pass as they are; None where there is none.
    """

    def __init__(
        self, app: ASGIApp, counters: Counters, limits: Limits, security: Security, express: Express | None = None
    ) -> None:
        self.express = express
        self._app = app
        self._counters = counters
        self._guard = Guard(security)
        self._overdue = Overdue(limits.request_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        task = asyncio.current_task()
        if scope["type"] != "http" or task is None:
            return
        once = _Once(send)
        reply: Reply | None = None
        try:
            self._admit(scope)
            await self._app(scope, self._timed(receive, task), once.send)
        except GoneError:
            return
        except asyncio.CancelledError as error:
            reply = self._on_cancel(task, *error.args)
        except Exception as error:  # noqa: BLE001 - a request must never end the server
            told = as_request_error(error)
            reply = error_reply(told.code, told.message)
        finally:
            self._overdue.end(task)
        if reply is not None and not once.begun:
            await reply.send(send)

    def _admit(self, scope: Scope) -> None:
        path: str = scope["raw_path"].decode("latin-1")
        is_v1 = path[:4].lower() == "/v1/"
        if is_v1 and (not self._guard.active or scope["method"] == "OPTIONS"):
            return  # a browser asks for leave before it shows a key
        role = role_of_path(path)
        if role is None:
            return
        key = self._guard.require(role, find_key(scope["headers"]) if self._guard.active else None)
        if role == "admin":
            client = scope.get("client")
            acting(key, f"{client[0]}:{client[1]}" if client else "")

    def _timed(self, receive: Receive, task: asyncio.Task[Any]) -> Receive:
        async def timed() -> Message:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body", False):
                self._overdue.begin(task)  # however long the client took to send it
            return message

        return timed

    def _on_cancel(self, task: asyncio.Task[Any], reason: str = "") -> Reply:
        task.uncancel()
        if self._overdue.end(task):
            code, message = Code.DEADLINE_EXCEEDED, "Deadline exceeded"
        elif reason == CLIENT_GONE:  # and reads no reply
            code, message = Code.CANCELLED, "Cancelled"
        else:
            code, message = Code.UNAVAILABLE, "The server is stopping"
        self._counters.count_request("", code.name)
        return error_reply(code, message)


class _Once:
    """Knows whether a reply has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    async def send(self, message: Message) -> None:
        self.begun = True
        await self._send(message)
