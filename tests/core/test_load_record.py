"""The histogram of latencies: bounded in size, exact to one part in 64."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.records import LatencyHistogram, LoadResult
from workbench.core.records.load import bucket_bounds, bucket_of, percentiles_ms

TIMES = st.integers(0, 10**12)


@given(TIMES)
def test_a_time_lies_in_its_bucket(micros: int) -> None:
    low, after = bucket_bounds(bucket_of(micros))
    assert low <= micros < after
    assert after - low <= max(1, low / 64)


def test_buckets_follow_each_other() -> None:
    bounds = [bucket_bounds(index) for index in range(2000)]
    assert bounds[0] == (0, 1)
    assert all(after == low for (_, after), (low, _) in pairwise(bounds))


@given(st.lists(TIMES, min_size=1, max_size=200), st.floats(0, 1))
def test_quantiles_are_those_of_the_times(times: list[int], share: float) -> None:
    histogram = LatencyHistogram.of(Counter(map(bucket_of, times)), sum(times), max(times))
    exact = sorted(times)[max(ceil(share * len(times)), 1) - 1]
    found = histogram.quantile_ms(share)
    assert found is not None
    rounding = 1e-6 + exact * 1e-12  # milliseconds and back, of times of up to eleven days
    assert exact <= found * 1000 + rounding
    assert found * 1000 <= exact + max(1, exact / 64) + rounding
    assert histogram.count == len(times)
    assert histogram.mean_ms == pytest.approx(sum(times) / len(times) / 1000)


def test_nothing_was_answered() -> None:
    assert LatencyHistogram().quantile_ms(0.5) is None
    assert LatencyHistogram().mean_ms is None
    assert set(percentiles_ms(LatencyHistogram()).values()) == {None}


@pytest.mark.parametrize(
    ("counts", "errors", "said"),
    [
        (
            Counter({bucket_of(2000): 300}),
            {},
            "p50 2.000, p99 2.000, max 2.000 ms, 0 failed of 300; ",
        ),
        (Counter[int](), {"503": 9}, "9 failed of 9; "),
    ],
)
def test_a_result_is_printed_in_a_line(counts: Counter[int], errors: dict[str, int], said: str) -> None:
    latency = LatencyHistogram.of(counts, 2000 * counts.total(), 2000 if counts else 0)
    result = LoadResult(
        url="http://127.0.0.1:1", model="m", face="rest", loop="closed", rate=None, connections=16, batch=1,
        seconds=2.0,
        requests=counts.total(), errors=errors, unsent=0, throughput=150.0, latency=latency, client_cpu=0.1,
        **percentiles_ms(latency),
    )  # fmt: skip
    assert str(result).startswith(f"LoadResult(150 answers/s, {said}http://127.0.0.1:1, batch 1, ")
    assert str(result).endswith("16 connections, closed loop, 2.0 s)")
    assert len(repr(latency)) < 80
