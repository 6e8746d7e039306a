"""Whole HTTP replies, as TensorFlow Serving and the library under it give them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench.serve.rest.json_write import write_error
from workbench.serve.status import Code

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from starlette.types import Send

    Headers = Sequence[tuple[bytes, bytes]]

_INLINE_VALUES = 8 * 1024
_JSON = b"application/json"
_AGAIN = ((b"retry-after", b"1"),)  # seconds
_ERROR_HEADERS: dict[Code, Headers] = {
    Code.RESOURCE_EXHAUSTED: _AGAIN,
    Code.UNAVAILABLE: _AGAIN,
    Code.UNAUTHENTICATED: ((b"www-authenticate", b'Bearer realm="serving"'),),
    Code.PERMISSION_DENIED: ((b"www-authenticate", b'Bearer realm="serving", error="insufficient_scope"'),),
}
_NOT_FOUND = (
    b"<HTML><HEAD>\n<TITLE>404 Not Found</TITLE>\n</HEAD><BODY>\n<H1>Not Found</H1>\n</BODY></HTML>\n"  # libevent's
)


@dataclass(frozen=True)
class Reply:
    """What is sent.

    Attributes:
        status: HTTP status.
        body: The body.
        content_type: What it is.
        headers: More headers.
        close: The connection ends with it.
    """

    status: int
    body: bytes
    content_type: bytes = _JSON
    headers: Headers = ()
    close: bool = False

    def with_cors(self, *, keys: bool) -> Reply:
        """Return the reply as browsers show it to pages of other origins too."""
        return replace(self, headers=(*self.headers, *_cors(keys=keys)))

    async def send(self, send: Send) -> None:
        """Send it."""
        headers = [
            (b"content-type", self.content_type),
            (b"content-length", str(len(self.body)).encode()),
            *self.headers,
        ]
        if self.close:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


def slow_to_write(outputs: Mapping[str, np.ndarray[Any, Any]]) -> bool:
    """Tell whether outputs are to be written in a thread: in the event loop they would keep it from all others."""
    return sum([array.size for array in outputs.values()]) > _INLINE_VALUES


def json_reply(code: Code, body: bytes) -> Reply:
    """Return a JSON reply with the headers that go with its code."""
    return Reply(code.http, body, headers=_ERROR_HEADERS.get(code, ()))


def error_reply(code: Code, message: str) -> Reply:
    """Return `{"error": message}`."""
    return json_reply(code, write_error(message))


def not_found_page() -> Reply:
    """Return the page for what is neither `/v1` nor any other of ours."""
    return Reply(404, _NOT_FOUND, b"text/html", close=True)


def preflight(headers: Headers, *, cors: bool, keys: bool) -> Reply:
    """Return the answer to OPTIONS: 200 for an origin of the web, with or without the leave to ask.

    Args:
        headers: The request's.
        cors: Pages of other origins may ask.
        keys: They need API keys to.
    """
    origin = next((value for name, value in headers if name == b"origin"), b"")
    if origin.startswith((b"http://", b"https://")):
        reply = Reply(200, b"")
    else:
        reply = error_reply(Code.FAILED_PRECONDITION, "Origin header is missing in CORS preflight")
    return reply.with_cors(keys=keys) if cors else reply


def _cors(*, keys: bool) -> Headers:
    allowed = b"Content-Type, Authorization, X-API-Key" if keys else b"Content-Type"
    return (
        (b"access-control-allow-origin", b"*"),
        (b"access-control-allow-methods", b"POST, GET"),
        (b"access-control-allow-headers", allowed),
    )
