"""The last requests: how many failed, how late the answers were."""

from __future__ import annotations

import time
from collections import deque
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from workbench.core.errors import WorkbenchError
from workbench.evaluate.intervals import wilson
from workbench.monitor.health import health

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.core.records import LoggedRequest, Proportion
    from workbench.monitor.settings import MonitorSettings
    from workbench.serve.handle import Sandbox

_OURS = {"UNKNOWN", "INTERNAL", "DATA_LOSS", "UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED"}
"""Failures of the server; all others are the client's own."""

_MOST = 100_000
_PERCENTILE = 0.95


class Condition(NamedTuple):
    """How a server does; None where there is nothing new, or too little.

    Attributes:
        errors: Share of requests that the server failed.
        p95_ms: 95 of a hundred answers were not slower, milliseconds.
        is_up: It answers.
    """

    errors: Proportion | None
    p95_ms: float | None
    is_up: bool = True


class RecentRequests:
    """From the request log."""

    def __init__(self, settings: MonitorSettings) -> None:
        """Know nothing yet.

        Args:
            settings: How old and how few.
        """
        self._settings = settings
        self._last: deque[tuple[float, float | None]] = deque(maxlen=_MOST)

    def observe(self, requests: Iterable[LoggedRequest], now: float) -> Condition:
        """Take requests in and return how the last ones went.

        Args:
            requests: In the order of their answers.
            now: Seconds since 1970.
        """
        news = 0
        for request in requests:
            failed = request.code in _OURS
            if failed or request.code == "OK":
                self._last.append((request.time, None if failed else request.seconds))
                news += 1
        while len(self._last) > self._settings.min_requests and (
            now - self._last[0][0] > self._settings.recent_seconds
        ):
            self._last.popleft()
        if not news or len(self._last) < self._settings.min_requests:
            return Condition(None, None)
        times = sorted(seconds for _, seconds in self._last if seconds is not None)
        p95 = times[max(ceil(_PERCENTILE * len(times)), 1) - 1] * 1000 if times else None
        return Condition(wilson(len(self._last) - len(times), len(self._last)), p95)

    def reset(self) -> None:
        """Forget them, e.g. since another version answers."""
        self._last.clear()


class RecentCounts:
    """From the server's own counters, where it notes no requests; every refused request counts as an error."""

    def __init__(self, server: Sandbox | str, model: str, settings: MonitorSettings) -> None:
        """Know nothing yet.

        Args:
            server: The server, or its address.
            model: Model name.
            settings: How old and how few.
        """
        self._server = server
        self._model = model
        self._settings = settings
        self._last: deque[tuple[float, int, int]] = deque(maxlen=_MOST)

    def observe(self, now: float | None = None) -> tuple[Condition, int]:
        """Ask the server and return how it does, and how many requests came since the last time.

        Args:
            now: Seconds since 1970.
        """
        now = time.time() if now is None else now
        try:
            stats = health(self._server, self._model)
        except WorkbenchError:
            return Condition(None, None, is_up=False), 0
        if self._last and stats.requests < self._last[-1][1]:  # it began anew
            self._last.clear()
        first = not self._last
        news = stats.requests - (stats.requests if first else self._last[-1][1])
        self._last.append((now, stats.requests, stats.errors))
        while len(self._last) > 2 and self._enough_without_the_oldest(now):  # noqa: PLR2004 - a difference needs two
            self._last.popleft()
        (_, asked, failed), (_, asked_now, failed_now) = self._last[0], self._last[-1]
        total, errors = asked_now - asked, failed_now - failed
        if not news or total < self._settings.min_requests:
            return Condition(None, None), news
        return Condition(wilson(min(errors, total), total), stats.p95_ms), news

    def reset(self) -> None:
        """Forget what was counted."""
        self._last.clear()

    def _enough_without_the_oldest(self, now: float) -> bool:
        next_time, next_requests, _ = self._last[1]
        enough = self._last[-1][1] - next_requests >= self._settings.min_requests
        return enough and now - next_time > self._settings.recent_seconds
