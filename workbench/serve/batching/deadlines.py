"""Telling those who wait that their time is up, with one timer for all."""

from __future__ import annotations

import asyncio
import time
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.serve.batching.work import Work


class Deadlines:
    """The works that wait or run on a thread; one with a deadline is given up when it passes."""

    def __init__(self, give_up: Callable[[Work], None]) -> None:
        """Watch nothing yet.

        Args:
            give_up: What is done to a work whose time is up.
        """
        self._give_up = give_up
        self._works: set[Work] = set()
        self._next = inf
        self._timer: asyncio.TimerHandle | None = None

    def add(self, work: Work) -> None:
        """Watch a work."""
        self._works.add(work)
        if work.deadline < self._next:
            self._set(work.deadline)

    def discard(self, work: Work) -> None:
        """Watch a work no more."""
        self._works.discard(work)

    def _set(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = deadline
        delay = max(deadline - time.monotonic(), 0.0)
        self._timer = asyncio.get_running_loop().call_later(delay, self._look)

    def _look(self) -> None:
        self._timer, self._next = None, inf
        now = time.monotonic()
        for work in [work for work in self._works if work.deadline <= now]:
            self._works.discard(work)
            self._give_up(work)
        first = min((work.deadline for work in self._works), default=inf)
        if first < inf:
            # A little later than the first, so that many with nearly the same deadline cost one look.
            self._set(first + 0.002)
