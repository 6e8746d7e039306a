"""Asking a supervisor from another process, without an event loop."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
from typing import TYPE_CHECKING, Any

from workbench.core.errors import ServingError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 300.0  # a large model takes as long to load
_CONNECT_SECONDS = 5.0


class Connection:
    """A connection to a supervisor's control socket."""

    def __init__(self, path: str) -> None:
        """Connect.

        Raises:
            ServingError: Nobody is there.
        """
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_CONNECT_SECONDS)
        try:
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            raise ServingError(f"the server does not answer at {path} ({error.strerror}).") from None
        self._lines = self._socket.makefile("r", encoding="utf-8")

    def close(self) -> None:
        """Close it; a thread that reads is woken."""
        with contextlib.suppress(OSError):  # the other side was faster
            self._socket.shutdown(socket.SHUT_RDWR)
        self._lines.close()
        self._socket.close()

    @property
    def pid(self) -> int | None:
        """Process id of the other side, where the system tells."""
        try:
            told = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        except (AttributeError, OSError):
            return None
        pid: int = struct.unpack("3i", told)[0]
        return pid

    def call(self, ask: str, /, seconds: float = _SECONDS, **arguments: Any) -> Any:
        """Ask, and return the answer.

        Raises:
            ServingError: It was refused, or nobody answered in time.
        """
        self._socket.settimeout(seconds)
        try:
            self._socket.sendall(json.dumps({"id": 0, "ask": ask, "with": arguments}).encode() + b"\n")
            answer = json.loads(self._lines.readline() or "null")
        except (OSError, ValueError) as error:
            raise ServingError(f"the server did not answer when it was asked to {ask} ({error}).") from None
        if answer is None:
            raise ServingError(f"the server ended while it was asked to {ask}.")
        if "error" in answer:
            raise ServingError(answer["error"])
        return answer["value"]

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield what is told to those who watch, until the other side ends."""
        self._socket.settimeout(None)
        try:
            for line in self._lines:
                message = json.loads(line)
                if message.get("ask") == "event":
                    yield message["with"]
        except (OSError, ValueError):
            return


def ask(path: str, what: str, /, seconds: float = _SECONDS, **arguments: Any) -> Any:
    """Ask once over a connection of its own.

    Raises:
        ServingError: As of `Connection`.
    """
    connection = Connection(path)
    try:
        return connection.call(what, seconds, **arguments)
    finally:
        connection.close()
