"""What a server knows of itself: workers that it replaced, requests that its log could not take."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from workbench.core.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.monitor.settings import MonitorSettings
    from workbench.serve.handle import Sandbox


class Inside:
    """Asks a server's handle; a server that is known by its URL or its log alone does not tell."""

    def __init__(self, server: Sandbox, settings: MonitorSettings) -> None:
        """Know nothing yet.

        Args:
            server: The server.
            settings: How long news is news.
        """
        self._server = server
        self._seconds = settings.recent_seconds
        self._last: deque[tuple[float, int, int]] = deque()

    def observe(self, now: float) -> dict[str, float]:
        """Return what came in the last while: `restarts` of workers, `unlogged` requests; nothing where it is down.

        Args:
            now: Seconds since 1970.
        """
        try:
            restarts = sum(worker.restarts for worker in self._server.workers)
            unlogged = self._server.stats().unlogged
        except WorkbenchError:
            return {}
        self._last.append((now, restarts, unlogged))
        while len(self._last) > 1 and now - self._last[1][0] > self._seconds:
            self._last.popleft()
        _, restarts_before, unlogged_before = self._last[0]
        return {"restarts": float(restarts - restarts_before), "unlogged": float(unlogged - unlogged_before)}
