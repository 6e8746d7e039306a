import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import BadInputError
from workbench.evaluate.intervals import discordant, mcnemar, paired_drop, wilson

bits = st.text("01", min_size=1, max_size=200)
pairs = st.lists(st.tuples(st.sampled_from("01"), st.sampled_from("01")), min_size=1, max_size=200)


def _vectors(both: int, lost: int, gained: int, neither: int) -> tuple[str, str]:
    a = "1" * both + "1" * lost + "0" * gained + "0" * neither
    return a, "1" * both + "0" * lost + "1" * gained + "0" * neither


def test_wilson_of_a_published_example() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, Wilson without correction.
    interval = wilson(81, 263)
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.2553, 0.3662)


def test_wilson_of_a_perfect_score_is_not_certain() -> None:
    interval = wilson(100, 100)
    assert interval.high == 1.0
    assert interval.low == pytest.approx(0.963, abs=5e-4)


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_and_stays_in_range(counts: tuple[int, int]) -> None:
    interval = wilson(*counts)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1


@pytest.mark.parametrize(("successes", "total"), [(1, 0), (3, 2), (-1, 2)])
def test_wilson_refuses_impossible_counts(successes: int, total: int) -> None:
    with pytest.raises(BadInputError, match="must be"):
        wilson(successes, total)


def test_paired_interval_of_a_published_example() -> None:
    # Airway hyper-responsiveness (Fagerland et al., Stat. Med. 33 (2014)): n11=1, n12=1, n21=7, n22=12;
    # Bonett-Price with Laplace: (-0.5081, -0.0128).
    drop, low, high = paired_drop(*_vectors(1, 1, 7, 12))
    assert drop == pytest.approx(-6 / 21)
    assert low == pytest.approx(-0.508, abs=2e-3)
    assert high == pytest.approx(-0.013, abs=2e-3)


@given(pairs)
def test_paired_interval_holds_the_drop_and_turns_with_the_order(rows: list[tuple[str, str]]) -> None:
    a, b = "".join(x for x, _ in rows), "".join(y for _, y in rows)
    forth, back = paired_drop(a, b), paired_drop(b, a)
    assert -1 <= forth.low <= forth.drop <= forth.high <= 1
    assert forth.drop == pytest.approx((a.count("1") - b.count("1")) / len(a))
    assert (forth.low, forth.high) == pytest.approx((-back.high, -back.low))


def test_paired_interval_is_narrower_than_two_single_ones() -> None:
    a, b = _vectors(9800, 30, 20, 150)
    drop = paired_drop(a, b)
    one = wilson(9830, 10000)
    assert drop.high - drop.low < (one.high - one.low) * 0.6


def test_mcnemar_of_small_counts_is_the_binomial_test() -> None:
    # 1 against 7: 2 * (C(8,0) + C(8,1)) / 2**8.
    assert mcnemar(*_vectors(5, 1, 7, 5)) == pytest.approx(2 * 9 / 256)
    assert mcnemar(*_vectors(5, 0, 0, 5)) == 1.0


def test_mcnemar_of_thousands_of_pairs_is_finite() -> None:
    p = mcnemar(*_vectors(0, 2000, 2300, 0))
    assert 0 < p < 1e-4
    assert math.isfinite(p)


@given(bits)
def test_equal_vectors_are_concordant(correct: str) -> None:
    assert discordant(correct, correct) == (0, 0)


@pytest.mark.parametrize(("a", "b"), [("", ""), ("11", "1")])
def test_vectors_of_different_samples_are_refused(a: str, b: str) -> None:
    with pytest.raises(BadInputError, match="same split"):
        paired_drop(a, b)


def test_a_level_must_be_a_probability() -> None:
    with pytest.raises(BadInputError, match="level"):
        wilson(1, 2, level=1.0)


def test_a_share_prints_as_people_read_it() -> None:
    assert str(wilson(341, 359)) == "0.9499 [0.9221, 0.9681] of 359"
