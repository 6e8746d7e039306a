import sys
from pathlib import Path

from workbench.figures.frontier import sweep_frontier
from workbench.sweep.pareto import frontier

sys.path.insert(0, str(Path(__file__).parents[1] / "sweep"))
from points import failed, point


def test_points_of_the_frontier_are_joined_and_the_others_are_not() -> None:
    points = [point("large", 0.99, 9000), point("bad", 0.8, 8000), point("small", 0.9, 1000), failed("gone")]
    members = frontier(points, ("accuracy", "gzip"))
    others, joined = sweep_frontier(points, members).data
    assert (others.name, list(others.text), others.mode) == ("measured", ["bad"], "markers")
    assert (joined.name, list(joined.text), joined.mode) == ("frontier", ["small", "large"], "lines+markers")
    assert list(joined.x) == [1, 9]
    assert list(joined.y) == [90, 99]


def test_a_sweep_that_has_no_point_yet_is_drawn_too() -> None:
    assert len(sweep_frontier([failed("gone")]).data) == 0
