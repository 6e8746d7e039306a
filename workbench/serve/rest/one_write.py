"""A transport with one `send` a reply.

Head and body in two sends cost a system call more and, where a peer delays its acknowledgements, 40 ms.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class OneWrite(asyncio.Transport):
    """Collects what is written in one turn of the event loop and sends it at once.

    A close while the peer still sends would reset the connection, and the peer might lose the reply over it. So where
    `unread` says that more is to come, only our half is closed; whoever owns the connection ends it later (`abort`).

    Attributes:
        written: Bytes given to the kernel or waiting for it, in all.
    """

    def __init__(self, inner: asyncio.Transport, unread: Callable[[], bool]) -> None:
        super().__init__()
        self._inner = inner
        self._unread = unread
        self.written = 0
        self._half_closed = False
        self._loop = asyncio.get_running_loop()
        self._parts: list[bytes | bytearray | memoryview] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep the data for the end of this turn."""
        if not self._parts:
            self._loop.call_soon(self.flush)
        self._parts.append(data)

    def flush(self) -> None:
        """Send what was written in this turn; nobody is there for it where the connection is broken."""
        if self._parts:
            data = b"".join(self._parts)
            self._parts.clear()
            if self._inner.is_closing():
                return
            self.written += len(data)
            self._inner.write(data)

    def close(self) -> None:
        """Send what is left and close, or close our half alone where the peer still sends."""
        self.flush()
        if self._half_closed or self._inner.is_closing():
            return
        if self._inner.can_write_eof() and self._unread():
            self._half_closed = True
            self._inner.write_eof()
            self._inner.resume_reading()
        else:
            self._inner.close()

    def abort(self) -> None:
        """Close at once."""
        self._parts.clear()
        self._inner.abort()

    def is_closing(self) -> bool:
        """Tell whether the connection is being closed."""
        return self._half_closed or self._inner.is_closing()

    def get_write_buffer_size(self) -> int:
        """Return how many bytes the peer has not taken yet."""
        return self._inner.get_write_buffer_size()

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
