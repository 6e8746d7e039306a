"""Clients that ask without pause, and waiting for what comes of it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LONGEST_REQUEST = 60


class Unceasing:
    """Threads, each at a work that goes on until `over`, which the end of the block sets; none may hang then."""

    def __init__(self, works: Sequence[Callable[[], None]]) -> None:
        self.over = threading.Event()
        self._threads = [threading.Thread(target=work) for work in works]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join(_LONGEST_REQUEST)
        assert not any(thread.is_alive() for thread in self._threads), "a request hangs"


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """Return the first true value of a condition, or fail after a while."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return value
