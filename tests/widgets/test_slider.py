"""What a page may tell sliders and heat maps, and what it may not."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.widgets.heat_map import HeatMap
from workbench.widgets.slider import Slider


def test_a_move_is_told_with_its_value_and_its_number() -> None:
    group = Slider(sliders=[{"name": "a", "low": 0, "high": 1, "step": 0.1}, {"name": "b", "stops": []}])
    group.values, moved = {"a": 0.0, "b": None}, []
    group.on_move(lambda name, value: moved.append((name, value, dict(group.values))))
    group._handle_custom_msg({"type": "input", "name": "a", "value": 0.5, "generation": 3}, [])
    group._handle_custom_msg({"type": "change", "name": "b", "value": None, "generation": 4}, [])
    assert moved == [("a", 0.5, {"a": 0.5, "b": None}), ("b", None, {"a": 0.5, "b": None})]
    assert group.generation == 4
    assert group.answered == 0


@pytest.mark.parametrize(
    "message",
    [
        {"name": "b", "value": 1, "generation": 1},
        {"name": "a", "value": "1", "generation": 1},
        {"name": "a", "value": [1], "generation": 1},
        {"name": "a", "value": 1},
        {"name": {}, "value": 1, "generation": 1},
    ],
)
def test_what_the_script_never_sends_moves_nothing(message: dict[str, Any]) -> None:
    group, moved = Slider(sliders=[{"name": "a", "low": 0, "high": 1, "step": 0.1}]), []
    group.on_move(lambda name, value: moved.append((name, value)))
    group._handle_custom_msg({"type": "input", **message}, [])
    assert (moved, group.values, group.generation) == ([], {}, 0)


def test_only_cells_are_picked() -> None:
    heat, picked = HeatMap(rows=["a", "b"], columns=["x", "y"]), []
    heat.cells = [[{"text": "1"}, {}], [{"text": "2"}, {"text": "3"}]]
    heat.on_pick(lambda row, column: picked.append((row, column)))
    for row, column in ((0, 0), (0, 1), (1, 1), (2, 0), (0, 2), (-1, 0), ("0", 0), (None, 0)):
        heat._handle_custom_msg({"type": "pick", "row": row, "column": column}, [])
    assert picked == [(0, 0), (1, 1)]
