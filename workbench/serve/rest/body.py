"""Reading a request's body with a bound, inflated where it is gzip'd."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from workbench.serve.status import invalid

if TYPE_CHECKING:
    from starlette.requests import Request

_GZIP = 31  # zlib's window bits for a gzip header
_CHUNK = 1 << 20


class TooLargeError(Exception):
    """The body is, or would inflate to, more than the limit."""


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body as it was sent.

    Args:
        request: The request.
        limit: Bytes allowed.

    Raises:
        TooLargeError: More was announced or sent; what was announced is not read.
    """
    announced = request.headers.get("content-length")
    if announced is not None and announced.isdigit() and int(announced) > limit:
        raise TooLargeError
    parts, total = [], 0
    async for part in request.stream():
        total += len(part)
        if total > limit:
            raise TooLargeError
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def inflate(body: bytes, limit: int) -> bytes:
    """Return a gzip'd body's content, never holding much more than the limit.

    Raises:
        TooLargeError: It would be more than the limit.
        RequestError: INVALID_ARGUMENT, it is no gzip.
    """
    parts, total = [], 0
    while body:
        stream = zlib.decompressobj(_GZIP)
        while not stream.eof:
            try:
                part = stream.decompress(body, _CHUNK)
            except zlib.error:
                raise invalid("Failed to decompress the request's gzip body") from None
            body = stream.unconsumed_tail
            total += len(part)
            if total > limit:
                raise TooLargeError
            parts.append(part)
            if not part and not body and not stream.eof:
                raise invalid("Failed to decompress the request's gzip body: it ends too early")
        body = stream.unused_data
    return b"".join(parts)
