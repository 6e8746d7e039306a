"""A formula to move by hand: sliders beside a figure that follows them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import ipywidgets

from workbench.core.errors import BadInputError
from workbench.core.language import _
from workbench.lessons.base import FIGURES
from workbench.panels.base import grid, open_stills
from workbench.widgets.error_strip import ErrorStrip
from workbench.widgets.figure import Figure
from workbench.widgets.slider import Slider

if TYPE_CHECKING:
    from workbench.lessons.base import Demonstration


class LiveFigure(ipywidgets.VBox):  # type: ignore[misc]
    """Sliders, and what follows from them; computed in the kernel, without a job.

    Attributes:
        sliders: The sliders.
        figure: The drawing, the line under its title, and the table of its numbers.
        numbers: What was computed last, by its symbol.
    """

    def __init__(self, shown: Demonstration) -> None:
        """Draw a demonstration as it starts."""
        self._shown = shown
        self.sliders = Slider(
            label=_(shown.title),
            sliders=[_in_words(slider) for slider in shown.sliders],
            values={slider["name"]: slider["start"] for slider in shown.sliders},
        )
        self.figure = Figure(title=_(shown.title), height=320)
        self.numbers: dict[str, float] = {}
        # The strip brings the house's style sheet, and says what a plugin's figure could not draw.
        self._errors = ErrorStrip()
        super().__init__([self._errors, grid("aside", self.sliders, self.figure)])
        self.add_class("wb-panel")
        self._draw()
        self.sliders.on_move(lambda _name, _value: self._follow())

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        open_stills(self)
        return super()._repr_mimebundle_(**kwargs)

    @property
    def told(self) -> str:
        """The formula with its numbers, in one line."""
        return str(self.figure.summary)

    def move(self, **values: float) -> None:
        """Move sliders by their names, as a hand does.

        Raises:
            BadInputError: There is no such slider, or it does not reach so far.
        """
        known = {slider["name"]: slider for slider in self.sliders.sliders}
        for name, value in values.items():
            if name not in known:
                raise BadInputError.of("slider", rule=f"must be one of {', '.join(known)}", got=name)
            if not _reaches(known[name], value):
                raise BadInputError.of(name, rule="must be where its slider can stand", got=value)
        self.sliders.values = {**self.sliders.values, **values}
        self._draw()

    def _follow(self) -> None:
        try:
            self._draw()
        except Exception as error:  # noqa: BLE001 - nothing may vanish
            self._errors.show(f"{type(error).__name__}: {error}")
        self.sliders.answered = self.sliders.generation

    def _draw(self) -> None:
        drawn = self._shown.draw(self.sliders.values)
        self.numbers = drawn.numbers
        columns = [{"name": "symbol", "label": _("symbol")}, {"name": "value", "label": _("value"), "format": "number"}]
        rows = [{"symbol": symbol, "value": value} for symbol, value in drawn.numbers.items()]
        self.figure.show(json.dumps(drawn.figure), drawn.told, columns, rows)
        self._errors.clear()


def figure(name: str) -> LiveFigure:
    """Return a figure that follows its sliders.

    Raises:
        BadInputError: There is no figure of that name.
    """
    return LiveFigure(FIGURES.get(name)())


def _in_words(slider: Any) -> dict[str, Any]:
    told = {**slider, "label": _(slider["label"])}
    if "stops" in slider:
        told["stops"] = [{**stop, "label": _(stop["label"])} for stop in slider["stops"]]
    return told


def _reaches(slider: dict[str, Any], value: Any) -> bool:
    if not isinstance(value, (int, float)):
        return False
    if "stops" in slider:
        return value in [stop["value"] for stop in slider["stops"]]
    return bool(slider["low"] <= value <= slider["high"])
