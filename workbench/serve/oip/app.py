"""The Open Inference Protocol's door: raw ASGI, for a framework's request object costs as much as a small inference."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from workbench.serve.oip.compression import accepted, compressed
from workbench.serve.rest.body import Bodies, GoneError, TooLargeError
from workbench.serve.rest.json_write import write_error
from workbench.serve.rest.replies import Reply, error_reply
from workbench.serve.status import RequestError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from workbench.serve.limits import Limits
    from workbench.serve.oip.handler import Handler

_TOO_LARGE = 413
_INLINE_BYTES = 64 * 1024


def oip_app(handler: Handler, limits: Limits) -> ASGIApp:
    """Return the ASGI application for `/v2` and all below it; it matches the path as it was sent.

    Args:
        handler: What answers.
        limits: Bounds of a request.
    """
    return OipDoor(handler, Bodies(limits))


class OipDoor:
    """Reads bodies and sends replies; what they say is the handler's."""

    def __init__(self, handler: Handler, bodies: Bodies) -> None:
        self._handler = handler
        self._bodies = bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        header, accept = None, b""
        for name, value in scope["headers"]:
            if name == b"inference-header-content-length":
                header = value
            elif name == b"accept-encoding":
                accept = value
        body = b""
        try:
            body = await self._bodies.read(scope, receive)
            path = scope["raw_path"].decode("latin-1").partition("?")[0]
            reply = await self._handler(scope["method"], path, header, body)
        except GoneError:
            return  # nobody is there to be answered
        except TooLargeError as error:
            # What the client still sends is not read: the connection cannot be used again.
            reply = Reply(_TOO_LARGE, write_error(str(error)), close=True)
        except RequestError as error:
            reply = error_reply(error.code, error.message)
        finally:
            self._bodies.release(body)
        encoding = accepted(accept, len(reply.body)) if accept else None
        if encoding is not None:
            reply = await _compressed(reply, encoding)
        await reply.send(send)


async def _compressed(reply: Reply, encoding: str) -> Reply:
    if len(reply.body) <= _INLINE_BYTES:
        return compressed(reply, encoding)
    return await asyncio.to_thread(compressed, reply, encoding)
