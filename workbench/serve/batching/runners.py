"""Threads that run models, as many as are needed, at most as many as were told."""

from __future__ import annotations

import os
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Runners:
    """A pool like `concurrent.futures`' one without futures, which cost as much as a small model's run.

    Attributes:
        most: Threads at most.
    """

    def __init__(self, most: int) -> None:
        """Start none yet.

        Args:
            most: Threads at most; 0 takes one a core.
        """
        self.most = most or os.cpu_count() or 1
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._started = 0
        self._busy = 0
        self._lock = threading.Lock()

    def submit(self, job: Callable[[], None]) -> None:
        """Have a thread call something that raises nothing."""
        with self._lock:
            self._busy += 1
            more = self._busy > self._started and self._started < self.most
            if more:
                self._started += 1
                number = self._started
        if more:
            threading.Thread(target=self._work, name=f"infer-{number}", daemon=True).start()
        self._jobs.put(job)

    def close(self) -> None:
        """Let the threads end when they have done what they were given."""
        for _ in range(self._started):
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            with self._lock:
                self._busy -= 1
            del job  # what it holds is not kept until the next one comes
