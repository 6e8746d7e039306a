"""One timer for all connections of a server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.serve.limits import Limits


class Watch:
    """Looks at the connections of a server a few times a second, as long as there are any."""

    def __init__(self, connections: set[Any], limits: Limits) -> None:
        self._connections = connections
        self._period = min(1.0, max(0.05, min(limits.header_seconds, limits.idle_seconds) / 4))
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def of(cls, server_state: Any, limits: Limits) -> Watch:
        """Return the one of a uvicorn server."""
        watch = getattr(server_state, "watch", None)
        if watch is None:
            watch = server_state.watch = cls(server_state.connections, limits)
        found: Watch = watch
        return found

    def start(self) -> None:
        """Look again in a while, where that is not planned yet."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._period, self._look)

    def _look(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        for connection in tuple(self._connections):
            connection.check(now)
        if self._connections:
            self.start()
