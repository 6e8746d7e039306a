import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from points import failed, point

from workbench.sweep.pareto import frontier, non_dominated

ROWS = st.integers(1, 4).flatmap(
    lambda columns: st.lists(st.lists(st.integers(0, 6), min_size=columns, max_size=columns), max_size=30)
)


def dominates(a: list[int], b: list[int]) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True)) and a != b


@given(ROWS)
def test_members_are_exactly_what_nothing_dominates(rows: list[list[int]]) -> None:
    kept = non_dominated(np.array(rows, float).reshape(len(rows), -1) if rows else [])
    assert kept.tolist() == [not any(dominates(other, row) for other in rows) for row in rows]


def test_a_frontier_knows_what_is_better() -> None:
    best, small, worse = point("best", 0.99, 900), point("small", 0.9, 100), point("worse", 0.89, 200)
    assert frontier([small, failed("gone"), worse, best], ("accuracy", "gzip")) == (best, small)


def test_a_frontier_waits_with_latency_until_all_have_one() -> None:
    fast, slow = point("fast", 0.9, 100, 1.0), point("slow", 0.9, 100, 2.0)
    assert frontier([fast, slow], ("accuracy", "p95_ms")) == (fast,)
    untimed = point("untimed", 0.9, 100, None)
    assert len(frontier([fast, slow, untimed], ("accuracy", "p95_ms"))) == 3
