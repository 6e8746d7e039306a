"""What a server did under a load: how many answers, how late, and what it refused."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Literal

from workbench.core.records.base import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

_FINE = 64  # parts of an octave: a bucket is at most 1.6 % wide
_EXACT = 2 * _FINE
_QUANTILES = (0.5, 0.9, 0.99, 0.999)


def bucket_of(micros: int) -> int:
    """Return the bucket of a time: to the microsecond up to 128, then 64 to an octave (Tene's HdrHistogram)."""
    shift = max(micros.bit_length() - _EXACT.bit_length() + 1, 0)
    return _FINE * shift + (micros >> shift)


def bucket_bounds(index: int) -> tuple[int, int]:
    """Return where a bucket begins and where the next one does, microseconds."""
    shift = max(index // _FINE - 1, 0)
    lowest = index - _FINE * shift
    return lowest << shift, (lowest + 1) << shift


class LatencyHistogram(Record):
    """Times by bucket, logarithmic and so of bounded size whatever was measured.

    Attributes:
        buckets: Bucket (see `bucket_bounds`) and count, growing; empty ones are left out.
        sum_us: All times together, microseconds.
        max_us: The longest, exact.
    """

    buckets: tuple[tuple[int, int], ...] = ()
    sum_us: int = 0
    max_us: int = 0

    @classmethod
    def of(cls, counts: Mapping[int, int], sum_us: int, max_us: int) -> LatencyHistogram:
        """Build from counts by bucket."""
        return cls(buckets=tuple(sorted(counts.items())), sum_us=sum_us, max_us=max_us)

    @property
    def count(self) -> int:
        """How many times there are."""
        return sum(count for _, count in self.buckets)

    @property
    def mean_ms(self) -> float | None:
        """Mean, milliseconds; None where there is nothing."""
        return self.sum_us / self.count / 1000 if self.buckets else None

    def quantile_ms(self, share: float) -> float | None:
        """Return the time that a share of all did not exceed: nearest rank, upper end of its bucket, milliseconds.

        Args:
            share: In [0, 1].
        """
        left = max(ceil(share * self.count), 1)
        for index, count in self.buckets:
            left -= count
            if left <= 0:
                return min(bucket_bounds(index)[1], self.max_us) / 1000
        return None

    def __repr__(self) -> str:
        return f"LatencyHistogram({self.count} times in {len(self.buckets)} buckets, max {self.max_us / 1000:.3f} ms)"

    __str__ = __repr__


class LoadResult(Record):
    """One run of the load generator against one model.

    In an open loop requests are due at times that do not depend on the server, and a time counts from when the request
    was *due*, so that a server which stops for a second is charged with all that came in it (no coordinated omission).
    In a closed loop each connection asks when it was answered; a time counts from the asking.

    Attributes:
        url: Server.
        model: Model name.
        face: `rest`, `oip` or `oip_binary`.
        loop: `closed` or `open`.
        rate: Requests due a second; None in a closed loop.
        connections: Connections at the same time.
        batch: Samples in a request.
        seconds: Time measured, warm-up left out.
        requests: Requests due in it and answered well; `latency` holds their times.
        errors: Requests that were not, by HTTP status, `connection` or `timeout`.
        unsent: Requests that were due and for which no connection became free in time.
        throughput: Good answers a second, up to the last one.
        p50_ms: Median, milliseconds; None where nothing was answered.
        p90_ms: 90 of a hundred were not slower.
        p99_ms: 99 of a hundred.
        p999_ms: 999 of a thousand.
        max_ms: The slowest.
        latency: The histogram that these are read from.
        client_cpu: Share of one core that the generator itself took; where it nears 1 it measured itself.
    """

    url: str
    model: str
    face: str
    loop: Literal["closed", "open"]
    rate: float | None
    connections: int
    batch: int
    seconds: float
    requests: int
    errors: dict[str, int]
    unsent: int
    throughput: float
    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    p999_ms: float | None
    max_ms: float | None
    latency: LatencyHistogram
    client_cpu: float

    @property
    def failed(self) -> int:
        """Requests that were refused, broke, or were never sent."""
        return sum(self.errors.values()) + self.unsent

    def __repr__(self) -> str:
        asked, every = "closed loop" if self.rate is None else f"{self.rate:g} requests/s", self.requests + self.failed
        late = ("p50", self.p50_ms), ("p99", self.p99_ms), ("max", self.max_ms)
        times = ", ".join(f"{name} {value:.3f}" for name, value in late if value is not None)
        return (
            f"LoadResult({self.throughput:,.0f} answers/s, {times + ' ms, ' if times else ''}{self.failed:,} failed of "
            f"{every:,}; {self.url}, batch {self.batch}, {self.connections} connections, {asked}, "
            f"{self.seconds:.1f} s)"
        )

    __str__ = __repr__


def percentiles_ms(latency: LatencyHistogram) -> dict[str, float | None]:
    """Return the fields of `LoadResult` that are read from its histogram."""
    names = ("p50_ms", "p90_ms", "p99_ms", "p999_ms")
    found = {name: latency.quantile_ms(share) for name, share in zip(names, _QUANTILES, strict=True)}
    return {**found, "max_ms": latency.max_us / 1000 if latency.buckets else None}
