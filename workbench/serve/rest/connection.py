"""One HTTP connection: uvicorn's httptools protocol, held to the limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import httptools

from workbench.serve.rest.odd_clients import keeps_alive, without_upgrade
from workbench.serve.rest.one_write import OneWrite
from workbench.serve.rest.overdue import CLIENT_GONE
from workbench.serve.rest.refusal import busy, refusal
from workbench.serve.rest.short_way import ShortWay

if TYPE_CHECKING:
    import asyncio
    from asyncio.transports import BaseTransport

    from uvicorn._types import ASGI3Application
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

_PART = 8192  # bytes read at once, beside bodies: a few hundred requests at most
_PIPELINED = 64  # requests that wait behind one that is being answered; more are not read yet


class HttpConnection(ShortWay):
    """Speaks HTTP/1.1 for an ASGI application.

    A stalled head or body is answered with 408, a head that is too long with 431, what is no HTTP with 400, each in
    its turn behind the replies to earlier requests; a connection beyond the bound gets 503. When the client is gone,
    its request is cancelled.
    """

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._upgrading = False
        self._head_bytes = self._chunk = 0
        self._fault = (400, "Invalid HTTP request received.")
        self._refusal: bytes | None = None
        self._later = b""

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
        """Read on; a request that may go the short way goes the complete one where its body is not there yet."""
        self._take(data)
        self._go_complete_way()

    def _take(self, data: bytes) -> None:
        # In small parts where this may be a crowd of requests, so that few of them wait at once.
        if self._ended or self._refusal is not None:
            return
        if self._later:  # it was on its way when reading was paused
            self._later += data
            return
        if len(data) <= _PART:
            self._read(data)
            return
        view, at = memoryview(data), 0
        while at < len(data) and not self._ended and self._refusal is None:
            if len(self.pipeline) >= _PIPELINED:
                self._later = bytes(view[at:])
                self.flow.pause_reading()
                return
            end = at + max(_PART, self._body_left())
            self._read(view[at:end])
            at = end

    def _read(self, data: bytes | memoryview) -> None:
        self._chunk = len(data)
        begun, in_head = self._begun, self._in_head
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._go_on_without_upgrade(bytes(data[upgrade.args[0] :]))
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
            self._running[1].cancel(CLIENT_GONE)
            if self._running[1].done():
                self.tasks.discard(cast("asyncio.Task[None]", self._running[1]))
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
        self._in_body, self._body_bytes = True, 0
        self._since = self.loop.time()
        super().on_headers_complete()

    def _begin_cycle(self) -> None:
        super()._begin_cycle()
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
            self._start_asgi_task(*self.pipeline.pop())
            self._read_on()
        elif self._refusal is not None:
            self._end(self._refusal)
        elif self._later:
            self._read_on()
        elif self._in_body:  # answered before it was all there: what is still to come is not worth waiting for
            self.transport.close()
        else:
            self.flow.resume_reading()

    def _read_on(self) -> None:
        if len(self.pipeline) >= _PIPELINED and self._later:
            return
        data, self._later = self._later, b""
        self.flow.resume_reading()
        if data:
            self.data_received(data)

    # Refusing.

    def _refuse(self, status: int, message: str) -> None:
        self._go_complete_way()
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

    def _body_left(self) -> int:
        if not self._in_body:
            return 0
        length = next((value for name, value in self.headers if name == b"content-length"), b"0")
        return int(length) - self._body_bytes

    def _too_long(self) -> tuple[int, str]:
        return 431, f"The request's head must be at most {self._limits.header_bytes} bytes"

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _go_on_without_upgrade(self, rest: bytes) -> None:
        self._upgrading = False
        method, version = self.parser.get_method(), self.parser.get_http_version()
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._read(without_upgrade(method, self.url, version, self.headers) + rest)
