"""Sliders for the limits of a sweep's map, from what its points measured: dragged, they light the best point."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from workbench.core.language import N_, _
from workbench.sweep.metrics import value_of
from workbench.widgets.slider import Slider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from workbench.core.records import SweepPoint
    from workbench.panels.parts.sweep_answer import View

LABELS = {"size": N_("Largest size"), "latency": N_("Slowest p95"), "accuracy": N_("Least accuracy")}
_UNITS = {"size": "kB", "latency": "ms", "accuracy": "%"}
_SCALES = {"size": 1e-3, "latency": 1.0, "accuracy": 100.0}
_STOPS = 50
_DIGITS = 9
_NICE = (1, 2, 5, 10)


class BudgetSliders:
    """A handle a limit; the far end of each is no limit.

    Attributes:
        widget: The sliders.
    """

    def __init__(self, moved: Callable[[str, Any], None]) -> None:
        """Show none until points are fed.

        Args:
            moved: Gets name and value of a limit while a finger moves it; None is no limit.
        """
        self.widget = Slider(label=_("Budget"))
        self.widget.on_move(moved)

    def feed(self, points: Iterable[SweepPoint], view: View) -> None:
        """Let the sliders range over what points measured, and stand where a view says."""
        every = tuple(points)
        read = {"size": view.measure, "latency": "p95_ms", "accuracy": "accuracy"}
        found = {name: [value for point in every if (value := value_of(point, metric)) is not None]
                 for name, metric in read.items()}  # fmt: skip
        sliders = [
            slider(name, [_SCALES[name] * value for value in values]) for name, values in found.items() if values
        ]
        with self.widget.hold_sync():
            self.widget.sliders = sliders
            self.follow(view.model_dump())

    def follow(self, limits: Mapping[str, Any]) -> None:
        """Put the handles where the limits are."""
        self.widget.values = {name: limits[name] for name in LABELS}


def slider(name: str, values: list[float]) -> dict[str, Any]:
    """Return a slider over round numbers around some values.

    Args:
        name: Of the limit.
        values: What was measured, in the limit's unit; not empty.
    """
    low, high = min(values), max(values)
    step = _nice_step((high - low) or high or 1.0)
    first, last = math.floor(low / step), math.ceil(high / step)
    numbers = [round(step * n, _DIGITS) for n in range(first, last + 1)]
    stops: list[dict[str, Any]] = [{"value": n, "label": f"{n:g} {_UNITS[name]}"} for n in numbers if n > 0]
    free = {"value": None, "label": _("no limit")}
    least = name == "accuracy"
    return {"name": name, "label": _(LABELS[name]), "stops": [free, *stops] if least else [*stops, free]}


def _nice_step(span: float) -> float:
    """Return 1, 2 or 5 times a power of ten that divides a span into at most so many steps."""
    least = span / _STOPS
    power = 10.0 ** math.floor(math.log10(least))
    return next(n for n in _NICE if n * power >= least) * power
