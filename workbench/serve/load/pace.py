"""When requests are due: as soon as a connection is free, or at times of their own."""

from __future__ import annotations

import random
from collections import deque
from typing import Protocol


class Pace(Protocol):
    """Says when the next request is due; times in seconds on the generator's clock."""

    def take(self, now: float) -> float | None:
        """Return when the request that is to be sent now was due, or None where none is."""

    def wait(self, now: float) -> float | None:
        """Return how long until the next becomes due; None where only answers bring new ones."""

    def ended(self) -> bool:
        """Tell whether no request is to come any more."""

    def left(self, begin: float) -> int:
        """Return how many are due since `begin` and were not taken."""


class Closed:
    """Each connection asks again when it was answered."""

    def __init__(self, end: float, most: int) -> None:
        self._end = end
        self._most = most
        self._over = False

    def take(self, now: float) -> float | None:
        """Return now, until the end."""
        self._over = now >= self._end or self._most <= 0
        if self._over:
            return None
        self._most -= 1
        return now

    def wait(self, now: float) -> None:
        """Only answers bring new requests."""
        del now

    def ended(self) -> bool:
        """Tell whether the end was reached."""
        return self._over

    def left(self, begin: float) -> int:
        """Return 0: nothing is due that nobody can send."""
        del begin
        return 0


class Open:
    """Poisson arrivals: gaps are exponential with mean `1 / rate`, the same for the same seed."""

    def __init__(self, begin: float, end: float, rate: float, most: int, seed: int) -> None:
        self._end = end
        self._rate = rate
        self._most = most
        self._draw = random.Random(seed)  # noqa: S311 - arrival times are no secrets
        self._due: deque[float] = deque()
        self._next = begin + self._draw.expovariate(rate)

    def take(self, now: float) -> float | None:
        """Return the oldest time that is due, whether or not it could have been sent earlier."""
        self._come(now)
        return self._due.popleft() if self._due else None

    def wait(self, now: float) -> float | None:
        """Return the time to the next arrival."""
        return None if self.ended() else max(self._next - now, 0.0)

    def ended(self) -> bool:
        """Tell whether the last one was taken."""
        return not self._due and (self._next >= self._end or self._most <= 0)

    def left(self, begin: float) -> int:
        """Return how many still stand in the queue."""
        return sum(1 for due in self._due if due >= begin)

    def _come(self, now: float) -> None:
        until = min(now, self._end)
        while self._next <= until and self._most > 0:
            self._due.append(self._next)
            self._most -= 1
            self._next += self._draw.expovariate(self._rate)
