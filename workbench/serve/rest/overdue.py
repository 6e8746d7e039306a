"""Ending requests that take too long, without a timer for each."""

from __future__ import annotations

import asyncio
from typing import Any

CLIENT_GONE = "the client is gone"
"""Why a connection cancels the task of its request."""


class Overdue:
    """Cancels the tasks of requests whose time is up.

    `asyncio.timeout` would do the same for 8 microseconds a request; a dictionary and one timer cost half of one.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._period = min(1.0, max(0.01, seconds / 4))
        self._begun: dict[asyncio.Task[Any], float] = {}
        self._hit: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, task: asyncio.Task[Any]) -> None:
        """Let a request's time begin."""
        loop = asyncio.get_running_loop()
        self._begun[task] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(self._period, self._look, loop)

    def end(self, task: asyncio.Task[Any]) -> bool:
        """Forget a request; tell whether its task was cancelled because its time was up."""
        self._begun.pop(task, None)
        if task not in self._hit:
            return False
        self._hit.discard(task)
        return True

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        latest = loop.time() - self._seconds
        late = []
        for task, begun in self._begun.items():  # oldest first
            if begun > latest:
                break
            late.append(task)
        for task in late:
            del self._begun[task]
            self._hit.add(task)
            task.cancel()
        if self._begun:
            self._timer = loop.call_later(self._period, self._look, loop)
