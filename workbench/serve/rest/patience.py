"""How long each part of a connection's life may take.

No timer runs for a request. Each connection notes when its present part began (head, body, answer, idle), and one timer
a server looks at all of them a few times a second.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from workbench.serve.limits import Limits
from workbench.serve.rest.watch import Watch

if TYPE_CHECKING:
    from workbench.serve.rest.one_write import OneWrite

_BYTES_A_SECOND = 512  # a body that comes slower, over a whole stretch, is a stalled one
_LINGER_SECONDS = 2.0  # how long a refused client may go on sending before it is cut off
_HALF_SECONDS = 1.0  # how long a client that closed its half is thought to wait; most have closed the other one too


class PatientProtocol(HttpToolsProtocol):
    """Knows what a connection is at, and since when; `HttpConnection` tells it."""

    _sending: OneWrite

    def __init__(self, *args: Any, limits: Limits | None = None, **named: Any) -> None:
        super().__init__(*args, **named)
        self._limits = limits or Limits()
        self._watch = Watch.of(self.server_state, self._limits)
        self._since = self._sent_at = self.loop.time()
        self._begun = 0  # requests begun
        self._in_head = self._in_body = self._half_closed = self._ended = False
        self._body_bytes = self._taken = 0

    def check(self, now: float) -> None:
        """End a connection whose present part takes too long.

        Args:
            now: The loop's time, seconds.
        """
        age, patience = now - self._since, self._limits.header_seconds
        if self.transport.get_write_buffer_size():
            self._check_sending(now)
        elif self._ended:
            if age > _LINGER_SECONDS:
                self.transport.abort()
        elif self._in_head:
            if age > patience:
                self._refuse(408, "The request's head took too long")
        elif self._in_body:
            self._check_body(now)
        elif self._half_closed:
            if age > _HALF_SECONDS:
                self.transport.abort()
        elif not self._answering() and age > (self._limits.idle_seconds if self._begun else patience):
            self.transport.close()

    def _check_sending(self, now: float) -> None:
        taken = self._sending.written - self._sending.get_write_buffer_size()
        if taken > self._taken:
            self._taken, self._sent_at = taken, now
        elif now - self._sent_at > self._limits.header_seconds:
            self.transport.abort()  # it does not read its reply

    def _check_body(self, now: float) -> None:
        patience = self._limits.header_seconds
        if self.flow.read_paused:
            self._since, self._body_bytes = now, 0  # it is we who do not read
        elif now - self._since > patience:
            if self._body_bytes < _BYTES_A_SECOND * patience:
                self._refuse(408, "The request's body took too long")
            self._since, self._body_bytes = now, 0

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete and not self.cycle.disconnected

    @abstractmethod
    def _refuse(self, status: int, message: str) -> None:
        """Answer what is not there in time, and close."""
