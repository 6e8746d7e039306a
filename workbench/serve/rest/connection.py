"""One HTTP connection: uvicorn's httptools protocol, held to the limits.

No timer runs for a request. Each connection notes when its present part began (head, body, answer, idle), and one timer
a server looks at all of them a few times a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from workbench.serve.limits import Limits
from workbench.serve.rest.odd_clients import keeps_alive, without_upgrade
from workbench.serve.rest.one_write import OneWrite
from workbench.serve.rest.refusal import busy, refusal
from workbench.serve.rest.watch import Watch

if TYPE_CHECKING:
    import asyncio
    from asyncio.transports import BaseTransport

    from uvicorn._types import ASGI3Application

_BYTES_A_SECOND = 512  # a body that comes slower, over a whole stretch, is a stalled one
_LINGER_SECONDS = 2.0  # how long a refused client may go on sending before it is cut off
_HALF_SECONDS = 1.0  # how long a client that closed its half is thought to wait; most have closed the other one too


class HttpConnection(HttpToolsProtocol):
    """Speaks HTTP/1.1 for an ASGI application.

    A stalled head or body is answered with 408, a head that is too long with 431, what is no HTTP with 400, each in
    its turn behind the replies to earlier requests; a connection beyond the bound gets 503. When the client is gone,
    its request is cancelled.
    """

    def __init__(self, *args: Any, limits: Limits | None = None, **named: Any) -> None:
        super().__init__(*args, **named)
        self._limits = limits or Limits()
        self._watch = Watch.of(self.server_state, self._limits)
        self._since = self._sent_at = self.loop.time()
        self._begun = 0  # requests begun
        self._in_head = self._in_body = self._upgrading = False
        self._head_bytes = self._body_bytes = self._chunk = self._taken = 0
        self._fault = (400, "Invalid HTTP request received.")
        self._refusal: bytes | None = None
        self._ended = self._last = self._half_closed = False
        self._running: tuple[RequestResponseCycle, asyncio.Task[None]] | None = None

    # What the event loop calls.

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin, or send the client away where there are too many."""
        # Not checked: uvloop's transport has all methods of asyncio's and is no subclass.
        self._sending = OneWrite(cast("asyncio.Transport", transport), self._on_close)
        super().connection_made(self._sending)
        self._watch.start()
        beyond = len(self.connections) - self._limits.connections
        if beyond > 0:
            self.app = busy
        if beyond > 64 + self._limits.connections // 4:  # so many that even saying no would cost too much
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._ended:
            return
        self._chunk = len(data)
        begun, in_head = self._begun, self._in_head
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._go_on_without_upgrade(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError:
            self._refuse(*self._fault)
            return
        if self._in_head:
            # Where the head began within these bytes their length says nothing; it is counted from the next ones on.
            self._head_bytes = self._head_bytes + len(data) if in_head and begun == self._begun else 0
            if self._head_bytes > self._limits.header_bytes:
                self._refuse(*self._too_long())

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Answer a client that has asked all and closed its half."""
        if self._ended or self._in_head or self._in_body or not self._answering() or self.scheme == "https":
            self._sending.flush()  # before the loop closes
            return None
        self.cycle.keep_alive = False
        self._half_closed, self._since = True, self.loop.time()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel what nobody waits for any more."""
        self._ended = True
        if self._running is not None and not self._running[0].response_complete:
            self._running[1].cancel()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End after the request that is being sent or answered."""
        if self._in_head:
            self._last = True
        else:
            super().shutdown()

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._begun += 1
        self._in_head = True
        self._since = self.loop.time()

    def on_headers_complete(self) -> None:
        """Let the application begin."""
        self._in_head = False
        if self._head_bytes + self._chunk > self._limits.header_bytes and self._head_size() > self._limits.header_bytes:
            self._fault = self._too_long()
            raise ValueError
        self._head_bytes = 0
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                raise ValueError
            self._upgrading = True
            return
        super().on_headers_complete()
        self._in_body, self._body_bytes = True, 0
        self._since = self.loop.time()
        if self.scope["http_version"] == "1.0" and keeps_alive(self.headers):
            self.cycle.keep_alive = True
            self.cycle.default_headers = [*self.cycle.default_headers, (b"connection", b"keep-alive")]
        if self._last:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Hand a part of the body on."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        if self._upgrading:
            return
        self._in_body = False
        super().on_message_complete()

    # What uvicorn's side calls.

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        task = self.loop.create_task(cycle.run_asgi(app))
        self._running = (cycle, task)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for it."""
        self.server_state.total_requests += 1
        self._since = self.loop.time()
        if self.transport.is_closing():
            return
        if self.pipeline:
            self.flow.resume_reading()
            self._start_asgi_task(*self.pipeline.pop())
        elif self._refusal is not None:
            self._end(self._refusal)
        elif self._in_body:  # answered before it was all there: what is still to come is not worth waiting for
            self.transport.close()
        else:
            self.flow.resume_reading()

    # What the watch calls.

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

    # Refusing.

    def _refuse(self, status: int, message: str) -> None:
        if self._refusal is not None:
            return
        reply = refusal(status, message, self.server_state.default_headers)
        if self._in_body and self._drop_present():
            self._end(reply)
        elif self._answering():
            self._refusal = reply  # its turn comes after the replies to the requests before
            self.flow.pause_reading()
        else:
            self._end(reply)

    def _drop_present(self) -> bool:
        """Forget the request whose body is at fault; tell whether no other is being answered."""
        if self.pipeline:
            self.pipeline.popleft()
            return False
        self.cycle.disconnected = True
        self.cycle.message_event.set()
        return True

    def _end(self, reply: bytes) -> None:
        self.transport.write(reply)
        self._in_body = True  # whatever comes now is not read
        self.transport.close()

    def _on_close(self) -> bool:
        unread = self._in_head or self._in_body
        self._ended = True
        self._since = self.loop.time()
        return unread

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete and not self.cycle.disconnected

    def _too_long(self) -> tuple[int, str]:
        return 431, f"The request's head must be at most {self._limits.header_bytes} bytes"

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _go_on_without_upgrade(self, rest: bytes) -> None:
        self._upgrading = False
        method, version = self.parser.get_method(), self.parser.get_http_version()
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.data_received(without_upgrade(method, self.url, version, self.headers) + rest)


OneWriteProtocol = HttpConnection
