"""uvicorn's HTTP protocol with one `send` a reply.

Head and body in two sends cost a system call more and, where a peer delays its acknowledgements, 40 ms.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.auto import AutoHTTPProtocol

if TYPE_CHECKING:
    from asyncio.transports import BaseTransport


class OneWrite(asyncio.Transport):
    """Collects what is written in one turn of the event loop and sends it at once."""

    def __init__(self, inner: asyncio.Transport) -> None:
        super().__init__()
        self._inner = inner
        self._loop = asyncio.get_running_loop()
        self._parts: list[bytes | bytearray | memoryview] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep the data for the end of this turn."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def _flush(self) -> None:
        if self._parts:
            self._inner.write(b"".join(self._parts))
            self._parts.clear()

    def close(self) -> None:
        """Send what is left and close."""
        self._flush()
        self._inner.close()

    def abort(self) -> None:
        """Close at once."""
        self._parts.clear()
        self._inner.abort()

    def is_closing(self) -> bool:
        """Tell whether the connection is being closed."""
        return self._inner.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return the socket, the peer's name and so on."""
        return self._inner.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Stop reading."""
        self._inner.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        self._inner.resume_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand the connection over."""
        self._inner.set_protocol(protocol)


class OneWriteProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's protocol (httptools where installed, else h11) over a `OneWrite` transport."""

    def connection_made(self, transport: BaseTransport) -> None:
        """Wrap the connection."""
        # Not checked: uvloop's transport has all methods of asyncio's and is no subclass.
        super().connection_made(OneWrite(cast("asyncio.Transport", transport)))
