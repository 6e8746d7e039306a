import pytest
from points import point

from workbench.core.errors import BadInputError
from workbench.sweep.constraint import meets, nearest_sentence, parse, parse_all
from workbench.sweep.importance import by_variance
from workbench.sweep.metrics import repeated, shown_with_interval, value_of


@pytest.mark.parametrize(
    ("text", "metric", "at_least", "limit"),
    [
        ("gzip <= 40 kB", "gzip", False, 40_000),
        ("packed<=8KiB", "packed", False, 8192),
        ("raw ≤ 1e3", "raw", False, 1000),
        ("drop <= 0.2 pt", "drop", False, 0.002),
        ("accuracy >= 99 %", "accuracy", True, 0.99),
        ("p95 <= 1 ms", "p95_ms", False, 1),
        ("p50 ≤ 250us", "p50_ms", False, 0.25),
    ],
)
def test_limits_are_read_as_people_write_them(text: str, metric: str, *, at_least: bool, limit: float) -> None:
    found = parse(text)
    assert (found.metric, found.at_least, found.limit) == (metric, at_least, pytest.approx(limit))
    assert parse(found) is found
    assert parse(found.text) == found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("gzip < 40 kB", "must be a metric, <= or >=, a number and a unit"),
        ("gzip <= forty", "must be a metric"),
        ("", "must be a metric"),
        ("beauty >= 1", "constraint must be one of accuracy, drop"),
        ("gzip <= 40 ms", "must give gzip in B, kB, MB"),
        ("gzip <= nan", "must be a metric"),
    ],
)
def test_what_is_no_limit_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        parse(text)


def test_a_point_keeps_all_limits_or_not() -> None:
    limits = parse_all(["gzip <= 1 kB", "accuracy >= 90 %"])
    assert meets(point("good", 0.9, 1000), limits)
    assert not meets(point("large", 0.99, 1001), limits)
    assert not meets(point("untimed", 0.99, 10, None), parse_all("p95 <= 1 ms"))


def test_where_nothing_does_the_nearest_is_named() -> None:
    points = [point("far", 0.99, 9000), point("near", 0.97, 1100), point("poor", 0.5, 900)]
    assert nearest_sentence(points, parse_all(["gzip <= 1 kB", "accuracy >= 98 %"])) == (
        "No point keeps gzip <= 1 kB and accuracy >= 98 %; the nearest is near with gzip 1.1 kB, accuracy 97.00 %."
    )
    assert "none was measured" in nearest_sentence(points, parse_all("packed <= 1 kB"))


def test_several_seeds_show_their_spread() -> None:
    (one, other) = repeated([
        point("a, seed 1", 0.9, 100, seed=1), point("a, seed 2", 0.8, 100, seed=2), point("b, seed 1", 1, 5, seed=1),
    ])  # fmt: skip
    assert (one.label, one.seeds) == ("a", (1, 2))
    spread = one.metrics["accuracy"]
    assert (spread.mean, spread.low, spread.high, spread.count) == (pytest.approx(0.85), 0.8, 0.9, 2)
    assert spread.deviation == pytest.approx(0.0707, abs=1e-4)
    assert value_of(one, "accuracy") == spread.mean
    assert other.metrics["accuracy"].deviation == 0


def test_importance_is_the_share_of_the_variance() -> None:
    grid = [point(f"{a}{b}", 0.5 + a / 10 + b / 100, 100, a=a, b=b) for a in (0, 1) for b in (0, 1)]
    found = by_variance(grid, "accuracy")
    assert list(found) == ["a", "b"]
    assert found["a"] == pytest.approx(0.01 / 0.0101)
    assert sum(found.values()) == pytest.approx(1)
    assert by_variance(grid, "gzip") == {"a": 0, "b": 0}


def test_figures_are_shown_with_their_intervals_where_they_have_one() -> None:
    measured = point("a", 0.97, 12_345)
    assert shown_with_interval(measured, "accuracy") == "97.00 [96.00, 98.00] %"
    assert shown_with_interval(measured, "drop") == "3.00 [0.00, 100.00] pt"
    assert shown_with_interval(measured, "gzip") == "12.3 kB"
    assert shown_with_interval(point("b", 0.97, 100, None), "p95_ms") == "–"
    (twice,) = repeated([point("c, seed 1", 0.96, 100, seed=1), point("c, seed 2", 0.98, 100, seed=2)])
    assert shown_with_interval(twice, "accuracy") == "97.00 %"
