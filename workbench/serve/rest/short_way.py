"""The half of an HTTP connection that knows the short way: requests from the parser to `Express`, replies back.

Which way a request goes is known when its body is there. Until then its body is kept; what turns out to be unusual goes
the complete way from its head on, as if it had only come now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from workbench.serve.rest.patience import PatientProtocol

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from workbench.serve.rest.express import Exchange, Express
    from workbench.serve.rest.replies import Reply


class ShortWay(PatientProtocol):
    """Answers what `Express` takes, and leaves the rest to uvicorn; `HttpConnection` is built on it."""

    def __init__(self, *args: Any, express: Express | None = None, **named: Any) -> None:
        super().__init__(*args, **named)
        self._express = express
        self._kept: list[bytes] | None = None  # the body of a request that may go the short way, as far as it came
        self._last = False  # no request is taken after this one
        self._running: tuple[RequestResponseCycle | Exchange, asyncio.Task[None] | Exchange] | None = None

    def on_headers_complete(self) -> None:
        """Keep the request's body, or let the application begin."""
        if self._may_be_short():
            self._kept = []
        else:
            self._begin_cycle()

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body, or hand it on."""
        if self._kept is not None:
            self._kept.append(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Answer the request the short way, or let the application go on."""
        if not self._goes_short_way():
            self._go_complete_way()
            super().on_message_complete()

    def reply(self, exchange: Exchange, reply: Reply) -> None:
        """Send a whole reply, and go on."""
        assert self._express is not None, "it began the exchange"
        self.tasks.discard(cast("asyncio.Task[None]", exchange))
        exchange.response_complete = True
        common = self.server_state.default_headers
        head, keep_alive = self._express.head(reply, common, keep_alive=exchange.keep_alive)
        if not exchange.disconnected:
            self.transport.write(head + reply.body)
        if not keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _may_be_short(self) -> bool:
        return (
            self._express is not None
            and (self.cycle is None or self.cycle.response_complete)
            and not self.pipeline
            and not self.flow.write_paused
            and self.app is self.config.loaded_app  # there is room for it
            and self.parser.get_http_version() == "1.1"
            and self._express.takes(self.parser.get_method(), self.url, self.headers)
        )

    def _goes_short_way(self) -> bool:
        if self._kept is None or self._express is None:
            return False
        body, self._kept = b"".join(self._kept), None  # a reply at once may bring the next request
        keep_alive = self.parser.should_keep_alive() and not self._last
        exchange = self._express.begin(self, self.url, self.headers, body, keep_alive=keep_alive)
        if exchange is None:
            self._kept = [body]
            return False
        if not exchange.response_complete:
            self.cycle = cast("RequestResponseCycle", exchange)
            self._running = (exchange, exchange)
            self.tasks.add(cast("asyncio.Task[None]", exchange))
        return True

    def _go_complete_way(self) -> None:
        """Let the application have what was kept, if anything was."""
        if self._kept is None:
            return
        kept, self._kept = self._kept, None
        self._begin_cycle()
        for part in kept:
            super().on_body(part)

    def _begin_cycle(self) -> None:
        super().on_headers_complete()
