"""Carries events to where they are wanted, in a thread of its own, so that nobody waits for whoever takes them."""

from __future__ import annotations

import logging
import queue
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.records.monitor import AlarmEvent

_LOG = logging.getLogger("workbench.monitor")
_MOST = 100


class Outbox:
    """A bounded queue with one thread, which is there from the first event on.

    Attributes:
        delivered: Events that were taken.
        failed: Events that were given up.
        dropped: Events for which there was no room.
        error: Why the last one failed, one sentence; empty where none did.
    """

    def __init__(self, name: str, deliver: Callable[[AlarmEvent], None], *, most: int = _MOST, tries: int = 1) -> None:
        """Hold nothing yet.

        Args:
            name: What it delivers to, for messages.
            deliver: Takes one event, for as long as it likes; whatever it raises is noted.
            most: Events that wait at most.
            tries: Times that one is tried.
        """
        self._name = name
        self._deliver = deliver
        self._tries = tries
        self._queue: queue.Queue[AlarmEvent | None] = queue.Queue(most)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self.delivered = 0
        self.failed = 0
        self.dropped = 0
        self.error = ""

    def put(self, event: AlarmEvent) -> None:
        """Take an event in and return at once."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                # A target that hangs must not keep the process from ending.
                self._thread = threading.Thread(target=self._work, name=f"alarms to {self._name}", daemon=True)
                self._thread.start()
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            self.dropped += 1
            _LOG.warning("An alarm for %s was dropped: %d wait already.", self._name, self._queue.maxsize)

    def close(self, seconds: float = 2.0) -> bool:
        """Deliver what waits, for so many seconds at most, and say whether all of it was."""
        thread = self._thread
        if thread is None:
            return True
        try:
            self._queue.put(None, timeout=seconds)
        except queue.Full:
            return False
        thread.join(seconds)
        return not thread.is_alive()

    def _work(self) -> None:
        while (event := self._queue.get()) is not None:
            if self._delivers(event):
                self.delivered += 1
            else:
                self.failed += 1
                _LOG.warning("An alarm could not be told to %s (%s).", self._name, self.error)

    def _delivers(self, event: AlarmEvent) -> bool:
        for _ in range(self._tries):
            try:
                self._deliver(event)
            except Exception as error:  # noqa: BLE001 - what others wrote may raise anything
                self.error = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            else:
                return True
        return False
