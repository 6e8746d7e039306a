"""One HTTP/1.1 connection of the load generator: a request out, a status in, as few instructions as possible."""

from __future__ import annotations

import re
import socket

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)")
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked")
_CLOSE = re.compile(rb"\r\nconnection:[ \t]*close")
_RECEIVE = 256 * 1024
_MOST = 256 * 1024 * 1024
_UNKNOWN = -1

Address = tuple[int, tuple[str, int]]
"""Family of the socket, host (a number) and port."""


class Connection:
    """Non-blocking; every failure is an `OSError`, after which `open` begins anew.

    Attributes:
        due: When the request under way was due; the generator's clock.
        sent: When it was handed to the system.
        held: The socket, where there is one.
        closing: The server ends the connection with this answer.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self.held: socket.socket | None = None
        self._left: memoryview | None = None
        self._got = bytearray()
        self._need = _UNKNOWN
        self._body = 0
        self._status = 0
        self.closing = False
        self.due = 0.0
        self.sent = 0.0

    @property
    def writing(self) -> bool:
        """Tell whether a part of the request could not be handed over yet."""
        return self._left is not None

    def open(self) -> socket.socket:
        """Begin to connect, and return the new socket."""
        self.close()
        self.held = socket.socket(self._address[0], socket.SOCK_STREAM)
        self.held.settimeout(0)
        self.held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.held.connect_ex(self._address[1])  # what fails is told by the first `send`
        return self.held

    def close(self) -> None:
        """Forget the connection and what was under way."""
        if self.held is not None:
            self.held.close()
        self.held, self._left, self.closing = None, None, False
        self._begin()

    def ask(self, request: bytes) -> bool:
        """Send a request, or as much of it as goes, and tell whether that was all."""
        self._left = memoryview(request)
        return self.flush()

    def flush(self) -> bool:
        """Send more of it, and tell whether nothing is left."""
        assert self.held is not None
        assert self._left is not None
        try:
            count = self.held.send(self._left)
        except BlockingIOError:
            return False
        self._left = self._left[count:] if count < len(self._left) else None
        return self._left is None

    def receive(self) -> int:
        """Read what is there; return the status once the whole answer is, else 0."""
        assert self.held is not None
        try:
            data = self.held.recv(_RECEIVE)
        except BlockingIOError:
            return 0
        if not data:
            raise ConnectionResetError
        self._got += data
        if self._need == _UNKNOWN and not self._read_head():
            return 0
        if not self._whole():
            return 0
        status = self._status
        self._begin()
        return status

    def _begin(self) -> None:
        self._got.clear()
        self._need, self._body = _UNKNOWN, 0

    def _read_head(self) -> bool:
        end = self._got.find(b"\r\n\r\n")
        if end < 0:
            self._bound()
            return False
        head = bytes(self._got[:end]).lower()
        if not head.startswith(b"http/1.") or not head[9:12].isdigit():
            raise ConnectionAbortedError
        self._status = int(head[9:12])
        self.closing = _CLOSE.search(head) is not None
        self._body = end + 4
        if length := _LENGTH.search(head):
            self._need = self._body + int(length[1])
        elif _CHUNKED.search(head):
            self._need = 0
        else:
            raise ConnectionAbortedError  # an answer that ends with its connection is none to keep alive
        return True

    def _whole(self) -> bool:
        self._bound()
        if self._need:
            return len(self._got) >= self._need
        while (end := self._got.find(b"\r\n", self._body)) >= 0:  # one turn a chunk: size, data, line break
            size = int(self._got[self._body : end].partition(b";")[0], 16)
            after = end + 2 + size + 2
            if len(self._got) < after:
                return False
            self._body = after
            if size == 0:
                return True
        return False

    def _bound(self) -> None:
        if len(self._got) > _MOST:
            raise ConnectionAbortedError
