"""A worker as the supervisor holds it: started with a socket of its own to be asked over, its end seen at once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import time
from typing import TYPE_CHECKING, Any

from workbench.serve.supervision.channel import LONGEST_LINE, Channel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

_MODULE = "workbench.serve.worker"


class WorkerProcess:
    """A running `workbench.serve.worker`.

    Attributes:
        index: Its place, from 0; the one that replaces it gets the same.
        pid: Its process id.
        channel: Asks it.
        started: When it was started, on the clock of `time.monotonic()`.
        applied: What it has loaded, by model and version, and whether it answers with it.
    """

    def __init__(self, index: int, process: asyncio.subprocess.Process, channel: Channel) -> None:
        self.index = index
        self.pid = process.pid
        self.channel = channel
        self.started = time.monotonic()
        self.applied: dict[tuple[str, int], bool] = {}
        self._process = process
        self._reading = asyncio.create_task(channel.run())

    @classmethod
    async def start(cls, index: int, handlers: Mapping[str, Callable[..., Awaitable[Any]]]) -> WorkerProcess:
        """Start one.

        Args:
            index: Its place.
            handlers: What it may ask of the supervisor.

        Raises:
            OSError: No process can be had.
        """
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                # Not a fork: what libraries of ours do in threads and descriptors does not live on in a worker.
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", _MODULE, str(theirs.fileno()), str(os.getpid()),
                    stdin=asyncio.subprocess.DEVNULL, pass_fds=[theirs.fileno()],
                )  # fmt: skip
            reader, writer = await asyncio.open_connection(sock=ours, limit=LONGEST_LINE)
        except BaseException:
            ours.close()
            raise
        return cls(index, process, Channel(reader, writer, handlers))

    @property
    def seconds(self) -> float:
        """How long it has lived."""
        return time.monotonic() - self.started

    async def ended(self) -> int:
        """Wait for its end and return its exit code, negative where a signal killed it."""
        await self._reading
        return await self._process.wait()

    def kill(self) -> None:
        """End it now."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
