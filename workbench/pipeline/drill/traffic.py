"""Ordinary clients: they ask one sample after the other, and tell the truth a moment later."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from workbench.core.errors import WorkbenchError
from workbench.monitor.labels import label
from workbench.serve.client import client

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.serve.sandbox import Sandbox

    Array = np.ndarray[Any, Any]

_CLIENTS = 2
_RECENT = 50
_AT_ONCE = 10  # labels that are told together


class Traffic:
    """A steady stream of requests for as long as its block lasts.

    Attributes:
        change: What happens to samples on their way, e.g. a camera that is turned; nothing at first.
        asked: Requests that were answered or failed.
        failed: Of them those that got no answer.
        said: What the last one that failed was told.
    """

    def __init__(self, server: Sandbox, samples: Array, labels: Array, *, rate: float) -> None:
        """Prepare.

        Args:
            server: Who is asked.
            samples: Shape (n, …), float32; asked in turn, again and again.
            labels: Shape (n,), what is right.
            rate: Requests a second, of all clients together.
        """
        self.change: Callable[[Array], Array] = lambda samples: samples
        self.asked = self.failed = 0
        self.said = ""
        self._server = server
        self._samples, self._labels = samples, labels
        self._pause = _CLIENTS / rate
        self._next = itertools.count()
        self._recent: deque[tuple[bool, float]] = deque(maxlen=_RECENT)
        self._lock = threading.Condition()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask, name=f"drill-client-{each}") for each in range(_CLIENTS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    @property
    def accuracy(self) -> float:
        """Share of the last answers that were right."""
        with self._lock:
            return float(np.mean([right for right, _ in self._recent] or [False]))

    @property
    def slowest_ms(self) -> float:
        """95 of a hundred of the last answers were not slower, milliseconds."""
        with self._lock:
            return float(np.quantile([took for _, took in self._recent] or [0.0], 0.95)) * 1e3

    def forget(self) -> None:
        """Judge by what comes from now on."""
        with self._lock:
            self._recent.clear()

    def wait(self, count: int, seconds: float) -> bool:
        """Wait until so many of the last answers are known; False where it takes too long."""
        with self._lock:
            return self._lock.wait_for(lambda: len(self._recent) >= min(count, _RECENT), seconds)

    def _ask(self) -> None:
        asking = client(self._server.url, self._server.name)
        truths: dict[str, int] = {}
        due = time.monotonic()
        while not self._over.wait(max(due - time.monotonic(), 0)):
            due = max(due + self._pause, time.monotonic())
            at = next(self._next)
            name, which = f"drill-{at}", at % len(self._samples)
            begun = time.perf_counter()
            try:
                sample = self.change(self._samples[which][None])
                answer = int(asking.predict(sample, headers={"x-request-id": name})[0].argmax())
            except WorkbenchError as error:
                self._count(str(error))
                continue
            self._count("", right=answer == self._labels[which], took=time.perf_counter() - begun)
            truths[name] = int(self._labels[which])
            if len(truths) >= _AT_ONCE:
                label(self._server, truths)
                truths = {}
        asking.close()

    def _count(self, error: str, *, right: bool = False, took: float = 0.0) -> None:
        with self._lock:
            self.asked += 1
            if error:
                self.failed, self.said = self.failed + 1, error
            else:
                self._recent.append((right, took))
            self._lock.notify_all()
