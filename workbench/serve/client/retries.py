"""Asking again: only what may help, not before the server wants it, and never so often that it makes things worse."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from pydantic import Field

from workbench.core.settings import Settings
from workbench.serve.client.face import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_SAVED = 10.0  # retries that a client which was idle may make at once


class Retries(Settings):
    """How a client goes on where a server is busy (429, 503, `UNAVAILABLE`) or the connection broke."""

    attempts: int = Field(default=4, ge=1, le=100, description="times that one question is asked, at most")
    first_seconds: float = Field(
        default=0.05, gt=0, le=60, description="longest pause before the second attempt, seconds; doubled for each more"
    )
    most_seconds: float = Field(default=2.0, gt=0, le=600, description="longest pause, seconds")
    budget: float = Field(
        default=0.2, ge=0, le=1, description="retries by questions, over all: a server in trouble is not asked twice"
    )


class Patience:
    """One client's retries; may be used from many threads.

    A pause is drawn evenly from zero to its longest ("full jitter", Brooker 2015), after what the server asks for; each
    question adds to a budget that each retry takes from.
    """

    def __init__(
        self,
        retries: Retries,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._retries = retries
        self._clock = clock
        self._sleep = sleep
        self._draw = draw
        self._tokens = _SAVED
        self._lock = threading.Lock()

    def ask(self, question: Callable[[float], T], seconds: float) -> T:
        """Ask until there is an answer, or no sense in asking again.

        Args:
            question: One attempt; takes the seconds that are left.
            seconds: For all attempts together.

        Raises:
            RefusedError: Of the last attempt.
        """
        deadline = self._clock() + seconds
        with self._lock:
            self._tokens = min(self._tokens + self._retries.budget, _SAVED)
        attempt = 1
        while True:
            try:
                return question(max(deadline - self._clock(), 0.001))
            except RefusedError as refused:
                pause = self._pause(refused, attempt)
                if pause is None or self._clock() + pause >= deadline:
                    raise
            self._sleep(pause)
            attempt += 1

    def _pause(self, refused: RefusedError, attempt: int) -> float | None:
        if not refused.again or attempt >= self._retries.attempts:
            return None
        with self._lock:
            if self._tokens < 1:
                return None
            self._tokens -= 1
        longest = min(self._retries.first_seconds * 2 ** (attempt - 1), self._retries.most_seconds)
        return (refused.after or 0.0) + self._draw(0.0, longest)
