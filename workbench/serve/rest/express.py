"""The short way for the most common request: an inference whose body is there as a whole and read in microseconds.

A task, an ASGI scope and two messages cost more than all else that is not inference. Here a request goes from the
parser to the queue of its model and its reply from there to the socket, without a coroutine. Whatever is unusual (keys,
CORS, a long or compressed body, anything that is to be refused) is declined and goes the complete way.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from workbench.serve.arrival import Arrival, arrive
from workbench.serve.rest.overdue import CLIENT_GONE
from workbench.serve.rest.replies import error_reply, slow_to_write
from workbench.serve.status import Code, RequestError, as_request_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np

    from workbench.serve.batching.work import Work
    from workbench.serve.inference import Inference
    from workbench.serve.limits import Limits
    from workbench.serve.rest.replies import Reply
    from workbench.serve.servable import Servable

    Arrays = Mapping[str, np.ndarray[Any, Any]]
    Headers = Sequence[tuple[bytes, bytes]]

_LONGEST = 64 * 1024  # bytes of a body that is read in the event loop
_LONGEST_PATH = 256  # readers remember what they read from it
_DOORS = {b"/v1/": "REST", b"/v2/": "OIP"}
_UNUSUAL = frozenset({b"content-encoding", b"transfer-encoding", b"expect"})


@dataclass(slots=True)
class Plan:
    """What a request asks, read.

    Attributes:
        servable: The version that answers.
        feeds: An array for each input.
        signature: Name; empty for the default one.
        examples: Samples.
        api: Door, one of `tallies.APIS`.
        write: Writes the reply from the outputs.
    """

    servable: Servable
    feeds: Arrays
    signature: str
    examples: int
    api: str
    write: Callable[[Arrays], Reply]


class Connection(Protocol):
    """What an exchange needs of its connection."""

    def reply(self, exchange: Exchange, reply: Reply) -> None:
        """Send a whole reply, and go on."""


class Express:
    """Decides which requests go the short way, and begins them."""

    def __init__(
        self,
        inference: Inference,
        limits: Limits,
        readers: Mapping[bytes, Callable[[str, Headers, bytes], Plan | None]],
    ) -> None:
        """Know who reads.

        Args:
            inference: What answers.
            limits: What one client may ask.
            readers: By the first four bytes of a path, what reads a request from path, headers and body; it gives
                None or raises for whatever is unusual.
        """
        self.inference = inference
        self._readers = readers
        self._seconds = limits.request_seconds
        self._longest = min(_LONGEST, limits.body_bytes, 2 * limits.values)
        self._common: Headers = ()
        self._common_bytes = b""
        self._closes = False

    def takes(self, method: bytes, url: bytes, headers: Headers) -> bool:
        """Tell by its head whether a request can go the short way, if its body comes at once."""
        if method != b"POST" or url[:4] not in self._readers or b"?" in url or len(url) > _LONGEST_PATH:
            return False
        length = 0
        for name, value in headers:
            if name == b"content-length":
                length = int(value)
            elif name in _UNUSUAL:
                return False
        return 0 < length <= self._longest

    def begin(
        self, connection: Connection, url: bytes, headers: Headers, body: bytes, *, keep_alive: bool
    ) -> Exchange | None:
        """Begin to answer a request; None where it is not for the short way."""
        begun = time.perf_counter()
        if self.inference.asks_arrivals:
            arrive(Arrival(_DOORS[url[:4]], headers, begun))
        try:
            plan = self._readers[url[:4]](url.decode("latin-1"), headers, body)
        except Exception:  # noqa: BLE001 - the complete way finds it again, and says it
            return None
        if plan is None:
            return None
        exchange = Exchange(self, connection, plan, begun, keep_alive=keep_alive)
        return exchange if exchange.begin(time.monotonic() + self._seconds) else None

    def head(self, reply: Reply, common: Headers, *, keep_alive: bool) -> tuple[bytes, bool]:
        """Return the head of a reply, and whether the connection stays open after it."""
        if common is not self._common:  # they change once a second
            self._common = common
            self._common_bytes = b"".join([b"%s: %s\r\n" % each for each in common])
            self._closes = (b"connection", b"close") in common
        more = b"".join([b"%s: %s\r\n" % each for each in reply.headers])
        keep_alive = keep_alive and not self._closes and not reply.close
        close = b"" if keep_alive or self._closes else b"connection: close\r\n"
        head = b"%s%scontent-type: %s\r\ncontent-length: %d\r\n%s%s\r\n" % (
            STATUS_LINE[reply.status], self._common_bytes, reply.content_type, len(reply.body), more, close,
        )  # fmt: skip
        return head, keep_alive


class Exchange:
    """One request that goes the short way.

    To its connection it is what uvicorn's own cycle is, to the queue the future of its answer.

    Attributes:
        response_complete: Its reply is sent.
        disconnected: The client is gone.
        keep_alive: The connection stays open after it.
        message_event: Of uvicorn's cycle; nobody waits for it here.
    """

    message_event = asyncio.Event()

    def __init__(self, express: Express, connection: Connection, plan: Plan, begun: float, *, keep_alive: bool) -> None:
        self.response_complete = self.disconnected = False
        self.keep_alive = keep_alive
        self._express = express
        self._connection = connection
        self._plan: Plan | None = plan
        self._work: Work | None = None
        self._begun = begun
        self._asked = begun

    def begin(self, deadline: float) -> bool:
        """Ask the model; a refusal is the answer. Tell whether one run can answer it."""
        plan = self._plan
        assert plan is not None, "it has not been answered"
        self._asked = time.perf_counter()
        try:
            self._work = self._express.inference.begin(plan.servable, plan.feeds, plan.signature, self, deadline)
        except Exception as error:  # noqa: BLE001 - `set_exception` tells them apart
            self.set_exception(error)
            return True
        return self._work is not None

    # What the queue sees.

    def done(self) -> bool:
        """Tell whether it was answered or given up."""
        return self._plan is None

    def set_result(self, outputs: Arrays) -> None:
        """Write the reply and send it; never raises."""
        plan, ran = self._plan, time.perf_counter()
        if plan is None:
            return
        if slow_to_write(outputs):
            self._write_aside(plan, outputs, ran)
            return
        try:
            reply = plan.write(outputs)
        except Exception as error:  # noqa: BLE001 - a request must never end the server
            self.set_exception(error)
            return
        self._answered(plan, reply, ran)

    def set_exception(self, error: Exception) -> None:
        """Send the reply to what was refused or failed; never raises."""
        if self._plan is None:
            return
        told = as_request_error(error)
        self._express.inference.counters.count_error(self._plan.servable.name)
        self._send(error_reply(told.code, told.message), told.code)

    # What the connection sees.

    def cancel(self, msg: str = "") -> None:
        """Give up: the client is gone, or the server stops."""
        if self._plan is None:
            return
        if msg == CLIENT_GONE:
            self._express.inference.counters.count_request("", Code.CANCELLED.name)
            self._end()
        else:  # whoever cancels goes through a set that a reply changes
            stopping = RequestError(Code.UNAVAILABLE, "The server is stopping")
            asyncio.get_running_loop().call_soon(self.set_exception, stopping)

    def _write_aside(self, plan: Plan, outputs: Arrays, ran: float) -> None:
        def written(task: asyncio.Future[Reply]) -> None:
            if self._plan is None:
                return
            if (error := task.exception()) is not None:
                self.set_exception(error if isinstance(error, Exception) else RuntimeError(str(error)))
            else:
                self._answered(plan, task.result(), ran)

        asyncio.get_running_loop().run_in_executor(None, plan.write, outputs).add_done_callback(written)

    def _answered(self, plan: Plan, reply: Reply, ran: float) -> None:
        end = time.perf_counter()
        self._express.inference.counters.count_answer(
            plan.servable.name, end - self._begun, ran - self._asked, plan.examples,
            api=plan.api, encode_seconds=end - ran,
        )  # fmt: skip
        self._send(reply, Code.OK)

    def _send(self, reply: Reply, code: Code) -> None:
        assert self._plan is not None, "it has not been answered"
        self._express.inference.counters.count_request(self._plan.servable.name, code.name)
        self._end()
        self._connection.reply(self, reply)

    def _end(self) -> None:
        plan, self._plan = self._plan, None
        if plan is not None and self._work is not None:
            self._express.inference.end(plan.servable, plan.signature, self._work)
            self._work = None
