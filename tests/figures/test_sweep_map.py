"""The map of a sweep: what is drawn where, and which point is which."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "sweep"))

from points import failed, point

from workbench.figures.sweep_map import sweep_map

POINTS = [point("a", 0.9, 5_000, 2.0), point("b", 0.95, 10_000, 1.0), point("c", 0.94, 20_000, None), failed("d")]


def test_points_lie_by_what_they_cost_and_carry_their_keys() -> None:
    figure = sweep_map(POINTS, ("a", "b"))
    by_name = {trace.name: trace for trace in figure.data}
    assert list(by_name["frontier"].x) == [5.0, 10.0]
    assert list(by_name["frontier"].customdata) == ["a", "b"]
    assert list(by_name["measured"].customdata) == ["c"]
    assert figure.layout.xaxis.title.text == "kB, gzip'd"


def test_what_was_not_timed_is_not_drawn_against_latency() -> None:
    figure = sweep_map(POINTS, x="p95_ms")
    assert [list(trace.customdata) for trace in figure.data] == [["b", "a"]]


def test_limits_are_lines_what_breaks_them_is_hollow_and_the_best_is_lit() -> None:
    figure = sweep_map(POINTS, ("b",), beyond=("a",), limits={"gzip": 12_000, "accuracy": 0.92}, best="b")
    assert [shape.x0 if shape.x0 == shape.x1 else shape.y0 for shape in figure.layout.shapes] == [92, 12]
    by_name = {trace.name: trace for trace in figure.data}
    assert (list(by_name["beyond a limit"].customdata), by_name["beyond a limit"].marker.symbol) == (
        ["a"],
        "circle-open",
    )
    assert list(by_name["best within the limits"].customdata) == ["b"]


def test_two_points_have_letters() -> None:
    figure = sweep_map(POINTS, marked={"a": "A", "c": "B"})
    assert [(note.x, note.text) for note in figure.layout.annotations] == [(5.0, "<b>A</b>"), (20.0, "<b>B</b>")]
