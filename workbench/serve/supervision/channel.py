"""Requests and replies as JSON lines over one stream, both ways at once."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
from typing import TYPE_CHECKING, Any

from workbench.core.errors import WorkbenchError
from workbench.serve.status import Code, RequestError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

LONGEST_LINE = 64 << 20
"""A list of model configurations is one line; asyncio's own limit of 64 KiB would end the connection."""

_log = logging.getLogger(__name__)


class ChannelClosedError(ConnectionError):
    """The other side is gone; what was asked of it may or may not have happened."""


class Channel:
    """One end of a stream; whoever is asked answers each request in a task of its own."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        handlers: Mapping[str, Callable[..., Awaitable[Any]]],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._handlers = handlers
        self._numbers = itertools.count()
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def call(self, ask: str, /, **arguments: Any) -> Any:
        """Ask the other side and return its answer, plain JSON.

        Raises:
            RequestError: It refused.
            ChannelClosedError: It is gone.
        """
        if self._closed:
            raise ChannelClosedError
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        self._send({"id": number, "ask": ask, "with": arguments})
        return await answer

    def tell(self, ask: str, /, **arguments: Any) -> None:
        """Say something that needs no answer."""
        if not self._closed:
            self._send({"ask": ask, "with": arguments})

    def close(self) -> None:
        """Let the other side go, once it has what was sent."""
        self._writer.close()

    async def run(self) -> None:
        """Read until the other side is gone."""
        try:
            while line := await self._reader.readline():
                self._take(line)
        except (ConnectionError, ValueError):
            pass  # it was killed while it wrote, or wrote what is no line of ours
        finally:
            self._closed = True
            for answer in self._asked.values():
                if not answer.done():
                    answer.set_exception(ChannelClosedError())
                    answer.exception()  # nobody need wait for it
            self._writer.close()

    def _take(self, line: bytes) -> None:
        message = json.loads(line)
        if "ask" in message:
            task = asyncio.get_running_loop().create_task(self._answer(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        answer = self._asked.pop(message["id"], None)
        if answer is None or answer.done():
            return
        if "error" in message:
            answer.set_exception(RequestError(Code[message["code"]], message["error"]))
        else:
            answer.set_result(message["value"])

    async def _answer(self, message: dict[str, Any]) -> None:
        reply: dict[str, Any] = {"id": message.get("id")}
        try:
            reply["value"] = await self._handlers[message["ask"]](**message["with"])
        except RequestError as error:
            reply |= {"error": error.message, "code": error.code.name}
        except WorkbenchError as error:
            reply |= {"error": str(error), "code": Code.FAILED_PRECONDITION.name}
        except Exception:  # noqa: BLE001 - one request must not end the other side's connection
            _log.exception("%s failed", message["ask"])
            reply |= {"error": "Internal error; the server's log says more", "code": Code.INTERNAL.name}
        if message.get("id") is not None and not self._closed:
            self._send(reply)

    def _send(self, message: dict[str, Any]) -> None:
        self._writer.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
