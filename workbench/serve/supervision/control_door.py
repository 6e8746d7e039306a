"""Where handles in any process ask a supervisor: a Unix socket that only its owner can open."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from workbench.serve.supervision.channel import LONGEST_LINE, Channel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from types import TracebackType

_NAME = "control"
_LONGEST_PATH = 100  # of a Unix socket, in bytes, on every system


class ControlDoor:
    """Open as a context; what is asked are the methods that it is given.

    Attributes:
        path: The socket.
    """

    def __init__(self, folder: Path, handlers: Mapping[str, Callable[..., Awaitable[Any]]]) -> None:
        """Open nothing yet.

        Args:
            folder: The run folder; its socket lies there, or in a private temporary folder where the path is too long.
            handlers: What can be asked, by name.
        """
        self.path = folder / _NAME
        self._private: Path | None = None
        self._handlers = handlers
        self._watchers: set[Channel] = set()
        self._visits: dict[Channel, asyncio.Task[Any]] = {}
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        """Open it; without it (a full disk, no such sockets) the server serves all the same."""
        if len(bytes(self.path)) > _LONGEST_PATH:
            self._private = Path(tempfile.mkdtemp(prefix="workbench-"))
            self.path = self._private / _NAME
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(self._visit, self.path, limit=LONGEST_LINE)
            self.path.chmod(0o600)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it; who watches learns of the end by that."""
        if self._server is not None:
            self._server.close()
        for channel in self._visits:
            channel.close()
        if self._visits:
            await asyncio.wait([*self._visits.values()], timeout=1)
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)
        if self._private is not None:
            shutil.rmtree(self._private, ignore_errors=True)

    def tell(self, **event: Any) -> None:
        """Tell all who watch."""
        for channel in [*self._watchers]:
            channel.tell("event", **event)

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def watch() -> Any:
            self._watchers.add(channel)
            return await self._handlers["about"]()

        channel = Channel(reader, writer, {**self._handlers, "watch": watch})
        visit = asyncio.current_task()
        assert visit is not None, "this is a coroutine"
        self._visits[channel] = visit
        try:
            await channel.run()
        finally:
            self._watchers.discard(channel)
            del self._visits[channel]
