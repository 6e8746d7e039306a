"""Replies to what never becomes a request of the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from workbench.serve.rest.json_write import write_error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope


def refusal(status: int, message: str, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a whole reply, after which the connection is closed.

    Args:
        status: HTTP status.
        message: What is wrong.
        headers: What every reply of the server carries.
    """
    body = write_error(message)
    lines = [STATUS_LINE[status], *(b"%s: %s\r\n" % each for each in headers)]
    lines.append(b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body))
    return b"".join([*lines, body])


async def busy(_scope: Scope, _receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Answer the requests of a connection too many; an ASGI application."""
    body = write_error("The server has as many connections as it may have")
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
        (b"retry-after", b"1"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers, "trailers": False})
    await send({"type": "http.response.body", "body": body, "more_body": False})
