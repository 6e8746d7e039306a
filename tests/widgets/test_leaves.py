"""Leaf widgets without a browser: what they send is what was shown, and nothing comes from elsewhere."""

from __future__ import annotations

import importlib
import pkgutil
import re

import numpy as np
import pytest

import workbench.widgets
from workbench.widgets.action_bar import ActionBar
from workbench.widgets.base import Leaf
from workbench.widgets.error_strip import ErrorStrip
from workbench.widgets.live_chart import LiveChart
from workbench.widgets.presence import Presence

NAMES = sorted({m.name for m in pkgutil.iter_modules(workbench.widgets.__path__)} - {"base", "still"})


def leaf_of(name: str) -> type[Leaf]:
    module = importlib.import_module(f"workbench.widgets.{name}")
    found = [v for v in vars(module).values() if isinstance(v, type) and issubclass(v, Leaf) and v is not Leaf]
    assert len(found) == 1, f"{name} must define one widget"
    return found[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_leaf_has_a_script_and_asks_nobody(name: str) -> None:
    widget = leaf_of(name)()
    script, style = str(widget._esm), str(widget._css)
    assert "export default" in script
    addresses = re.findall(r"https?://[^\s'\"`)]+", script + style)
    assert all(address.startswith("http://www.w3.org/") for address in addresses)
    assert len(script) < 40_000
    widget.close()


def test_the_chart_sends_float32_bytes_in_order() -> None:
    chart = LiveChart([{"name": "a", "color": 0}, {"name": "b", "color": 1}])
    chart.show({"b": ([1, 2, 3], [0.1, 0.2, 0.3]), "a": ([0], [9])})
    assert [one["count"] for one in chart.series] == [1, 3]
    expected = np.array([0, 9, 1, 2, 3, 0.1, 0.2, 0.3], "<f4")
    np.testing.assert_array_equal(np.frombuffer(chart.data, "<f4"), expected)
    chart.show({})
    assert chart.data == b""


def test_the_chart_thins_long_series_and_keeps_both_ends() -> None:
    chart = LiveChart([{"name": "a", "color": 0}])
    chart.show({"a": (np.arange(100_000), np.arange(100_000) * 2)})
    x, y = np.frombuffer(chart.data, "<f4").reshape(2, -1)
    assert (x[0], x[-1], y[-1]) == (0, 99_999, 199_998)
    assert x.size == 800


def test_buttons_call_back_by_name() -> None:
    bar, pressed = ActionBar(actions=[{"name": "go", "label": "Go"}, {"name": "halt", "label": "Halt"}]), []
    bar.on_press("go", lambda: pressed.append("go"))
    bar._handle_custom_msg({"type": "press", "name": "halt"}, [])
    bar._handle_custom_msg({"type": "press", "name": "go"}, [])
    bar._handle_custom_msg("nonsense", [])
    assert pressed == ["go"]
    bar.change("halt", enabled=False)
    assert bar.actions[1] == {"name": "halt", "label": "Halt", "enabled": False}


def test_the_strip_shows_and_clears() -> None:
    strip = ErrorStrip()
    strip.show("It broke.", "Traceback")
    assert (strip.message, strip.detail) == ("It broke.", "Traceback")
    strip.clear()
    assert (strip.message, strip.detail) == ("", "")


def test_presence_knows_whether_a_page_looks() -> None:
    presence, shown = Presence(), []
    presence.on_shown(lambda: shown.append(1))
    assert not presence.watched
    presence._handle_custom_msg({"type": "shown"}, [])
    assert shown == [1]
    assert presence.watched
