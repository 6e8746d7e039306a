"""The loop that asks: one thread, no framework, some ten microseconds a request.

What is slower than the server that it measures, measures itself.
"""

from __future__ import annotations

import resource
import select
import selectors
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.core.records.load import bucket_of
from workbench.serve.load.connection import Address, Connection
from workbench.serve.load.pace import Closed, Open

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.serve.load.pace import Pace
    from workbench.serve.load.settings import LoadSettings

_OK = 200
_LOOK_SECONDS = 0.1  # how often it is asked who waits too long
_REST_SECONDS = 0.05  # a server that is not there is not asked a hundred thousand times a second
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


@dataclass
class Outcome:
    """What was counted.

    Attributes:
        counts: Good answers to what was due in the time measured, by bucket of their time.
        sum_us: Their times together, microseconds.
        max_us: The longest of them.
        answered_seconds: When the last of them came, from the beginning of the time measured.
        errors: What went wrong with requests that were due in it.
        unsent: Requests that were due in it and never sent.
        seconds: How long it was.
        client_cpu: Share of one core that the generator took.
    """

    counts: Counter[int] = field(default_factory=Counter)
    sum_us: int = 0
    max_us: int = 0
    answered_seconds: float = 0.0
    errors: Counter[str] = field(default_factory=Counter)
    unsent: int = 0
    seconds: float = 0.0
    client_cpu: float = 0.0


class Generator:
    """Asks one server by the settings; `run` returns when that is done."""

    def __init__(self, address: Address, requests: Sequence[bytes], settings: LoadSettings) -> None:
        self._requests = requests
        self._settings = settings
        self._selector = selectors.DefaultSelector()
        # First in, first out: all connections take turns, and so all workers of the server.
        self._idle = deque(Connection(address) for _ in range(settings.connections))
        self._resting: list[tuple[float, Connection]] = []
        self._asking: set[Connection] = set()
        self._turn = 0
        self._looked = 0.0
        self._outcome = Outcome()

    def run(self) -> Outcome:
        """Ask until the time is over and the last answers are there, or waited for long enough."""
        clock = time.perf_counter
        start = clock()
        self._begin = start + self._settings.warmup_seconds
        self._end = self._begin + self._settings.seconds
        pace = self._pace(start)
        cpu, since = 0.0, 0.0
        while not (pace.ended() and not self._asking):
            now = clock()
            if not since and now >= self._begin:
                cpu, since = _cpu_seconds(), now
            if now >= self._end + self._settings.timeout_seconds:
                break
            while self._idle and (due := pace.take(now)) is not None:
                self._ask(self._idle.popleft(), due, now)
            self._look(now)
            for key, events in self._events(pace.wait(now)):
                self._serve(key.data, events)
        now = clock()
        for connection in list(self._asking):
            self._fail(connection, "timeout", now)
        self._close()
        outcome = self._outcome
        outcome.unsent = pace.left(self._begin)
        outcome.seconds = max(min(now, self._end) - self._begin, 0.0)
        outcome.client_cpu = (_cpu_seconds() - cpu) / (now - since) if since else 0.0
        return outcome

    def _pace(self, start: float) -> Pace:
        settings = self._settings
        if settings.rate is None:
            return Closed(self._end, settings.max_requests)
        return Open(start, self._end, settings.rate, settings.max_requests, settings.seed)

    def _ask(self, connection: Connection, due: float, now: float) -> None:
        connection.due, connection.sent = due, now
        self._asking.add(connection)
        request = self._requests[self._turn % len(self._requests)]
        self._turn += 1
        try:
            if connection.held is None:
                self._selector.register(connection.open(), _READ, connection)
            if not connection.ask(request):
                self._watch(connection, _READ | _WRITE)
        except OSError:
            self._fail(connection, "connection", now)

    def _events(self, wait: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        wait = _LOOK_SECONDS if wait is None or not self._idle else min(wait, _LOOK_SECONDS)
        if self._resting:
            wait = min(wait, _REST_SECONDS)
        if wait < _LOOK_SECONDS:
            # epoll counts in milliseconds, which would make every request of an open loop late; select does not.
            select.select([self._selector], [], [], wait)
            wait = 0
        return self._selector.select(wait)

    def _serve(self, connection: Connection, events: int) -> None:
        try:
            if events & _WRITE and connection.writing and connection.flush():
                self._watch(connection, _READ)
            if not events & _READ:
                return
            status = connection.receive()
        except (OSError, ValueError):
            self._fail(connection, "connection", time.perf_counter())
            return
        if status:
            if connection.closing:
                self._drop(connection)
            self._answered(connection, status, time.perf_counter())

    def _answered(self, connection: Connection, status: int, now: float) -> None:
        self._asking.discard(connection)
        self._idle.append(connection)
        outcome = self._outcome
        if status != _OK:
            if connection.due >= self._begin:
                outcome.errors[str(status)] += 1
            return
        if connection.due >= self._begin:
            outcome.answered_seconds = now - self._begin
            micros = int((now - connection.due) * 1e6)
            outcome.counts[bucket_of(micros)] += 1
            outcome.sum_us += micros
            outcome.max_us = max(outcome.max_us, micros)

    def _fail(self, connection: Connection, why: str, now: float) -> None:
        if connection in self._asking:
            self._asking.discard(connection)
            if connection.due >= self._begin:
                self._outcome.errors[why] += 1
            self._resting.append((now + _REST_SECONDS, connection))
        self._drop(connection)  # where nothing was asked the server may close it; it is opened again when needed

    def _drop(self, connection: Connection) -> None:
        if connection.held is not None:
            self._selector.unregister(connection.held)
        connection.close()

    def _look(self, now: float) -> None:
        if self._resting and self._resting[0][0] <= now:
            self._idle.extend(each for until, each in self._resting if until <= now)
            self._resting = [each for each in self._resting if each[0] > now]
        if now - self._looked > _LOOK_SECONDS:
            self._looked = now
            for connection in [each for each in self._asking if now - each.sent > self._settings.timeout_seconds]:
                self._fail(connection, "timeout", now)

    def _watch(self, connection: Connection, events: int) -> None:
        assert connection.held is not None
        self._selector.modify(connection.held, events, connection)

    def _close(self) -> None:
        for key in list(self._selector.get_map().values()):
            key.data.close()
        self._selector.close()


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
