"""The order of steps, over every small case: never without a version that answers, and always at an end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.serve.versions.policy import Step, next_step

some = st.frozensets(st.integers(1, 5))


def test_the_new_one_comes_before_the_old_one_goes() -> None:
    assert next_step({2}, {1}, {2}) == Step("load", 2)
    assert next_step({2}, {1, 2}, set()) == Step("unload", 1)
    assert next_step({2}, {2}, set()) is None


def test_the_highest_comes_first_and_the_lowest_goes_first() -> None:
    assert next_step({1, 2, 3}, set(), {1, 2, 3}) == Step("load", 3)
    assert next_step(set(), {1, 2, 3}, set()) == Step("unload", 1)


def test_room_is_made_where_one_that_stays_answers() -> None:
    assert next_step({2, 3}, {1, 2}, {3}) == Step("unload", 1)


def test_what_cannot_be_loaded_keeps_the_old_one() -> None:
    assert next_step({2}, {1}, set()) is None


@given(some, some, some)
def test_it_ends_and_never_leaves_nothing(
    wanted: frozenset[int], serving: frozenset[int], broken: frozenset[int]
) -> None:
    new = set(wanted - serving)
    serving_now = set(serving)
    for _ in range(20):
        step = next_step(wanted, serving_now, new)
        if step is None:
            break
        if step.do == "unload":
            serving_now.remove(step.version)
        else:
            new.remove(step.version)
            if step.version not in broken:
                serving_now.add(step.version)
        assert serving_now or not serving or not wanted
    else:
        raise AssertionError("it goes on for ever")
    good = wanted - (broken - serving)
    assert serving_now == (good or (serving if wanted else set()))
