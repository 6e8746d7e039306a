"""What a server has seen: counts by model and status, latencies of the last answers. Bounded memory."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import Counter, deque
from dataclasses import dataclass, field
from math import ceil

from workbench.core.records import ServingStats

BUCKETS_US = tuple(10 * 1.8**power for power in range(33))
"""Upper bounds of TensorFlow Serving's latency buckets, microseconds."""

_KEPT = 4096


@dataclass
class Histogram:
    """Counts a bucket; the last is beyond all bounds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_US) + 1))
    total: float = 0.0

    def observe(self, microseconds: float) -> None:
        """Count one value."""
        self.counts[bisect_left(BUCKETS_US, microseconds)] += 1
        self.total += microseconds


@dataclass
class ModelCounters:
    """One model's share.

    Attributes:
        predictions: Predict requests, answered or refused.
        errors: Those that were answered with an error.
        examples: Samples in answered requests.
        latency: From the body's arrival to the reply, answered requests only.
        runtime: The inference alone.
        last: Latencies of the last answers, microseconds.
    """

    predictions: int = 0
    errors: int = 0
    examples: int = 0
    latency: Histogram = field(default_factory=Histogram)
    runtime: Histogram = field(default_factory=Histogram)
    last: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT))


class Counters:
    """Thread-safe; only models that exist are counted by name, so a client cannot grow it."""

    def __init__(self, names: list[str]) -> None:
        self.started = time.monotonic()
        self.requests: Counter[tuple[str, str]] = Counter()
        self.models = {name: ModelCounters() for name in names}
        self._lock = threading.Lock()

    def count_request(self, name: str, status: str) -> None:
        """Count a request of any kind under its model and its status' name."""
        with self._lock:
            self.requests[name if name in self.models else "", status] += 1

    def count_answer(self, name: str, seconds: float, run_seconds: float, examples: int) -> None:
        """Count a predict request that was answered."""
        micros = seconds * 1e6
        with self._lock:
            one = self.models[name]
            one.predictions += 1
            one.examples += examples
            one.latency.observe(micros)
            one.runtime.observe(run_seconds * 1e6)
            one.last.append(micros)

    def count_error(self, name: str) -> None:
        """Count a predict request that was refused or failed."""
        with self._lock:
            if name in self.models:
                self.models[name].predictions += 1
                self.models[name].errors += 1

    def stats(self, name: str, version: str) -> ServingStats:
        """Return one model's figures; percentiles are of the last answers kept."""
        with self._lock:
            one = self.models[name]
            requests, errors, last = one.predictions, one.errors, sorted(one.last)
        return ServingStats(
            model=name,
            version=version,
            requests=requests,
            errors=errors,
            p50_ms=_percentile_ms(last, 0.50),
            p95_ms=_percentile_ms(last, 0.95),
            p99_ms=_percentile_ms(last, 0.99),
            uptime_s=round(time.monotonic() - self.started, 3),
        )


def _percentile_ms(ordered: list[float], share: float) -> float | None:
    # Nearest rank: a value that was measured, never one in between.
    if not ordered:
        return None
    return round(ordered[max(ceil(share * len(ordered)) - 1, 0)] / 1000, 4)
