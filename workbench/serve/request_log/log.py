"""The request log of one worker: answers are handed over by reference, and written in a thread of its own."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from workbench.serve.request_log.files import Files
from workbench.serve.request_log.lines import Entry, Lines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np

    from workbench.serve.arrival import Arrival
    from workbench.serve.counters import Counters
    from workbench.serve.request_log.settings import RequestLogSettings
    from workbench.serve.servable import Servable

    Arrays = Mapping[str, np.ndarray[Any, Any]]

_MOST = 8192  # requests that wait to be written; more are counted, and forgotten
_MOST_BYTES = 64 << 20  # of their arrays
_SECONDS_TO_CLOSE = 2.0
# Each of NumPy's steps hands Python from one thread to the other, which costs more than the step: many share each.
# Between the parts the loop has its turn.
_MANY = 256
_PART = 128
_PAUSE_SECONDS = 5e-4

_log = logging.getLogger(__name__)


class RequestLog:
    """Notes requests without keeping them waiting; where it cannot write, the server answers on.

    A crash loses what came in the last `flush_seconds`.
    """

    def __init__(self, folder: Path, worker: int, settings: RequestLogSettings, counters: Counters) -> None:
        """Begin.

        Args:
            folder: Where the files are to be, in a folder that exists.
            worker: Number of this worker.
            settings: What is noted.
            counters: Where it is counted.
        """
        self._settings = settings
        self._counters = counters
        self._files = Files(folder, worker, settings)
        self._lines = Lines(settings.key_header, inputs=settings.inputs)
        self._lock = threading.Lock()
        self._waiting: list[Entry] = []
        self._bytes = 0
        self._dropped: Counter[str] = Counter()
        self._lost = 0  # since it cannot be written
        self._wake = threading.Event()
        self._closing = False
        self._synced = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="request-log", daemon=True)
        self._thread.start()

    def keep(
        self,
        servable: Servable,
        arrival: Arrival | None,
        feeds: Arrays,
        outcome: Arrays | Exception | None,
        begun: float,
        ended: float = 0.0,
    ) -> None:
        """Keep a request until it is written; for the event loop, when it is answered.

        Args:
            servable: The version that answered.
            arrival: How it came in.
            feeds: Its inputs; nobody may change them any more, nor the outputs.
            outcome: The answer, or why there is none; None where it was given up.
            begun: When it began to wait for its run, on the clock of `time.perf_counter()`.
            ended: When its run was over; 0 where there was none.
        """
        share = self._settings.sample
        if share < 1 and random.random() >= share:  # noqa: S311 - no secret
            return
        size = 0
        for array in feeds.values():
            size += array.nbytes
        if outcome is not None and not isinstance(outcome, Exception):
            for array in outcome.values():
                size += array.nbytes
        if arrival is not None:
            _ = arrival.headers  # they can be had while the request lives
        entry = Entry(servable, arrival, feeds, outcome, begun, ended)
        with self._lock:
            if len(self._waiting) >= _MOST or self._bytes + size > _MOST_BYTES:
                self._dropped[servable.name] += 1
                return
            self._waiting.append(entry)
            self._bytes += size
            many = len(self._waiting) == _MANY
        if many:
            self._wake.set()

    def close(self) -> None:
        """Write what waits, and end."""
        self._closing = True
        self._wake.set()
        self._thread.join(_SECONDS_TO_CLOSE)

    def _work(self) -> None:
        while not self._closing:
            self._wake.wait(max(self._synced + self._settings.flush_seconds - time.monotonic(), 0))
            self._wake.clear()
            self._flush()
        self._flush()
        self._files.close()

    def _flush(self) -> None:
        with self._lock:
            entries, self._waiting, self._bytes = self._waiting, [], 0
            dropped, self._dropped = self._dropped, Counter()
        for name, count in dropped.items():
            self._counters.count_noted(name, lost=count)
        names = Counter(entry.name for entry in entries)
        try:
            self._write(entries)
        except Exception as error:  # noqa: BLE001 - a log must never end the server
            self._on_failure(error, names)
            return
        if self._lost and entries:
            _log.warning("the request log is written again; %d requests are not in it", self._lost)
            self._lost = 0
        for name, count in names.items():
            self._counters.count_noted(name, written=count)

    def _lines_of(self, entries: list[Entry]) -> list[bytes]:
        found: list[bytes] = []
        for start in range(0, len(entries), _PART):
            if start and not self._closing:
                time.sleep(_PAUSE_SECONDS)
            found += self._lines.of(entries[start : start + _PART])
        return found

    def _write(self, entries: list[Entry]) -> None:
        if entries:
            self._files.append(self._lines_of(entries))
        if time.monotonic() - self._synced >= self._settings.flush_seconds:
            self._synced = time.monotonic()
            self._files.sync()
            self._files.tidy()

    def _on_failure(self, error: Exception, names: Counter[str]) -> None:
        if not isinstance(error, OSError):
            _log.error("requests could not be noted", exc_info=error)
        elif not self._lost:
            reason = error.strerror or error
            _log.warning("the request log cannot be written (%s); requests are answered, and not noted", reason)
        self._lost += names.total()
        for name, count in names.items():
            self._counters.count_noted(name, lost=count)
