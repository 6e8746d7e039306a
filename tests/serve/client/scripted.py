"""An HTTP server that says what a test tells it to, and keeps what it was asked."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator


def reply(status: int, body: bytes = b"{}", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} said", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass
class Scripted:
    """A server.

    Attributes:
        replies: Bytes of one answer after the other; the last one is given for ever. `None` closes the connection.
        requests: What came, heads and bodies.
        connections: How many were made.
    """

    replies: list[bytes | None]
    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def next(self, request: bytes) -> bytes | None:
        with self.lock:
            self.requests.append(request)
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


@contextmanager
def scripted(*replies: bytes | None, tls: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """Serve until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Scripted(list(replies), listener.getsockname()[1])
    open_: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            open_.append(connection)
            server.connections += 1
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    def serve(connection: socket.socket) -> None:
        try:
            with tls.wrap_socket(connection, server_side=True) if tls else connection as peer:
                while request := _request(peer):
                    said = server.next(request)
                    if said is None:
                        return
                    peer.sendall(said)
        except OSError:
            return

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in open_:
            connection.close()
        thread.join(10)


def _request(peer: socket.socket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got:
        more = peer.recv(65536)
        if not more:
            return b""
        got += more
    head, _, body = got.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
    )
    parts, missing = [head, b"\r\n\r\n", body], length - len(body)
    while missing > 0:
        parts.append(peer.recv(1 << 20))
        missing -= len(parts[-1])
    return b"".join(parts)
