"""When requests are due."""

from __future__ import annotations

from itertools import pairwise

import pytest

from workbench.serve.load.pace import Closed, Open


def all_times(pace: Open) -> list[float]:
    found = []
    while not pace.ended():
        while (due := pace.take(1e9)) is not None:
            found.append(due)
    return found


def test_arrivals_are_the_same_for_the_same_seed() -> None:
    times = [all_times(Open(5.0, 7.0, 100.0, 10_000, seed)) for seed in (1, 1, 2)]
    assert times[0] == times[1] != times[2]


def test_arrivals_are_a_poisson_process() -> None:
    times = all_times(Open(5.0, 105.0, 100.0, 100_000, 0))
    assert len(times) == pytest.approx(10_000, rel=0.05)
    assert 5.0 < min(times) < max(times) <= 105.0
    gaps = sorted(after - before for before, after in pairwise(times))
    # Of an exponential distribution: the median is ln 2 of the mean.
    assert gaps[len(gaps) // 2] == pytest.approx(0.00693, rel=0.05)


def test_a_request_is_due_when_it_is_due_whoever_is_free() -> None:
    pace = Open(0.0, 1.0, 10.0, 100, 3)
    assert pace.take(0.0) is None
    wait = pace.wait(0.0)
    assert wait is not None
    assert wait > 0
    late = [pace.take(5.0), pace.take(6.0)]
    assert late == all_times(Open(0.0, 1.0, 10.0, 100, 3))[:2]
    assert late[0] == wait


def test_what_nobody_could_send_is_counted() -> None:
    expected = all_times(Open(0.0, 1.0, 50.0, 100, 0))
    pace = Open(0.0, 1.0, 50.0, 100, 0)
    pace.take(2.0)
    assert pace.left(0.0) == len(expected) - 1
    assert pace.left(0.5) == sum(1 for due in expected[1:] if due >= 0.5)
    assert not pace.ended()


def test_the_number_of_requests_is_bounded() -> None:
    assert len(all_times(Open(0.0, 1000.0, 100.0, 7, 0))) == 7
    pace = Closed(10.0, 2)
    assert [pace.take(1.0), pace.take(2.0), pace.take(3.0)] == [1.0, 2.0, None]
    assert pace.ended()


def test_a_closed_loop_ends_with_its_time() -> None:
    pace = Closed(10.0, 100)
    assert pace.take(9.9) == 9.9
    assert not pace.ended()
    assert pace.take(10.0) is None
    assert pace.ended()
    assert pace.left(0.0) == 0
