"""Reading a request's body with a bound, inflated where it is compressed."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING

from workbench.serve.status import Code, RequestError, invalid

if TYPE_CHECKING:
    from starlette.types import Receive, Scope

    from workbench.serve.limits import Limits

_PLAIN = frozenset({b"", b"identity"})
_GZIP = frozenset({b"gzip", b"x-gzip"})
_GZIP_BITS = 31  # zlib's window bits for a gzip header
_CHUNK = 1 << 20
_SMALL = 64 * 1024  # what a connection may hold anyway


class TooLargeError(Exception):
    """The body is, or would inflate to, more than the limit; the message is for the client."""


class GoneError(Exception):
    """The client has left before its body was whole."""


class Bodies:
    """Reads the bodies of one worker's requests.

    Attributes:
        held: Bytes of large bodies that requests hold at present.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.held = 0

    async def read(self, scope: Scope, receive: Receive) -> bytes:
        """Return a request's body, inflated; give it back with `release` when it is of no use any more.

        Args:
            scope: The ASGI request.
            receive: Gives its body.

        Raises:
            TooLargeError: More was announced or sent than is allowed; what was announced is not read.
            RequestError: INVALID_ARGUMENT, it is not what its headers say; RESOURCE_EXHAUSTED, too many large bodies
                are being held.
            GoneError: The client has left.
        """
        encoding = b""
        limit = self._limits.body_bytes
        for name, value in scope["headers"]:
            if name == b"content-length":
                if int(value) > limit:  # the parser lets digits pass only
                    raise self._too_large()
            elif name == b"content-encoding":
                encoding = value.strip().lower()
        body, more = await self._part(receive, 0)
        if more:
            body = await self._rest(body, receive)
        elif len(body) > _SMALL:
            self._hold(len(body))
        return body if encoding in _PLAIN else await self._inflated(body, encoding)

    def release(self, body: bytes) -> None:
        """Say that a body is no longer held."""
        if len(body) > _SMALL:
            self.held -= len(body)

    async def _part(self, receive: Receive, before: int) -> tuple[bytes, bool]:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        part: bytes = message.get("body", b"")
        if before + len(part) > self._limits.body_bytes:
            raise self._too_large()
        return part, message.get("more_body", False)

    async def _rest(self, first: bytes, receive: Receive) -> bytes:
        parts, total = [first], len(first)
        held = 0
        try:
            while True:
                part, more = await self._part(receive, total)
                parts.append(part)
                total += len(part)
                if total > _SMALL:
                    self._hold(total - held)
                    held = total
                if not more:
                    return b"".join(parts)
        except BaseException:
            self.held -= held
            raise

    async def _inflated(self, body: bytes, encoding: bytes) -> bytes:
        try:
            if encoding not in _GZIP and encoding != b"deflate":
                raise invalid("The request's Content-Encoding must be gzip, deflate or identity")
            limit = self._limits.body_bytes
            plain = await asyncio.to_thread(inflate if encoding in _GZIP else inflate_deflate, body, limit)
            if plain is None:
                raise self._too_large()
            if len(plain) > _SMALL:
                self._hold(len(plain))
        finally:
            self.release(body)
        return plain

    def _hold(self, size: int) -> None:
        if self.held + size > self._limits.pending_bytes:
            raise RequestError(Code.RESOURCE_EXHAUSTED, "The server holds as many large requests as it may; try again")
        self.held += size

    def _too_large(self) -> TooLargeError:
        return TooLargeError(f"The request body must be at most {self._limits.body_bytes} bytes")


def inflate(body: bytes, limit: int) -> bytes | None:
    """Return a gzip'd body's content, never holding much more than the limit; None where it would be more.

    Raises:
        RequestError: INVALID_ARGUMENT, it is no gzip.
    """
    return _inflate(body, limit, _GZIP_BITS, "gzip")


def inflate_deflate(body: bytes, limit: int) -> bytes | None:
    """Return a deflated body's content, with zlib's header or, as some send it, without; None beyond the limit.

    Raises:
        RequestError: INVALID_ARGUMENT, it is neither.
    """
    with_header = len(body) > 1 and body[0] & 15 == zlib.DEFLATED and int.from_bytes(body[:2], "big") % 31 == 0
    return _inflate(body, limit, zlib.MAX_WBITS if with_header else -zlib.MAX_WBITS, "deflate")


def _inflate(body: bytes, limit: int, bits: int, name: str) -> bytes | None:
    parts, total = [], 0
    while body:
        stream = zlib.decompressobj(bits)
        while not stream.eof:
            try:
                part = stream.decompress(body, _CHUNK)
            except zlib.error:
                raise invalid(f"Failed to decompress the request's {name} body") from None
            body = stream.unconsumed_tail
            total += len(part)
            if total > limit:
                return None
            parts.append(part)
            if not part and not body and not stream.eof:
                raise invalid(f"Failed to decompress the request's {name} body: it ends too early")
        body = stream.unused_data
    return b"".join(parts)
