"""A sweep on screen: its map with limits, the best point, what was brushed, two points compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.language import _
from workbench.panels.base import grid, stack
from workbench.panels.form import Form
from workbench.panels.parts.budget_sliders import LABELS, BudgetSliders
from workbench.panels.parts.sweep_answer import View, answer, columns, comparison, read_view, tiles
from workbench.widgets.action_bar import ActionBar
from workbench.widgets.data_table import DataTable
from workbench.widgets.figure import Figure
from workbench.widgets.remarks import Remarks
from workbench.widgets.stat_tiles import StatTiles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.core.records import SweepPoint
    from workbench.panels.base import Panel
    from workbench.panels.parts.sweep_answer import Answer

_LETTERS = ("A", "B")
_HEIGHT = 420


class SweepView:
    """Feed it the points of a sweep; it draws them.

    Attributes:
        widget: What is put on the page.
        actions: What can be done with a chosen point.
        best: The best point within the limits.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._points: dict[str, SweepPoint] = {}
        self._marked: tuple[str, ...] = ()
        self.best: SweepPoint | None = None
        self.form = _form()
        self.budget = BudgetSliders(panel.guard(lambda name, value: self.form.write({name: value})))
        self.figure = Figure(
            title=_("Accuracy against cost"), height=_HEIGHT, empty=_("The frontier fills here while a sweep goes on.")
        )
        self.tiles = StatTiles(label=_("Best within the limits"))
        self.brushed = DataTable(title=_("Brushed"), columns=columns())
        self.compared = DataTable(title=_("A and B"), columns=_compared())
        self.actions = _actions()
        self.failed = Remarks(title=_("Failed"))
        self.widget = stack(
            grid("aside", stack(self.form.widget, self.budget.widget, self.tiles), self.figure),
            self.actions, self.compared, self.brushed, self.failed,
        )  # fmt: skip
        self.form.on_change(panel.guard(self.draw))
        self.figure.on_click(panel.guard(lambda point: self.mark(point["custom"])))
        self.figure.on_select(panel.guard(self._brush))

    @property
    def chosen(self) -> SweepPoint | None:
        """The point that was clicked last; the best one where none was."""
        return self._points[self._marked[-1]] if self._marked else self.best

    def clear(self) -> None:
        """Forget a sweep."""
        self._points, self._marked, self.best = {}, (), None
        self.figure.clear()
        self.budget.widget.sliders = []
        self.tiles.tiles, self.brushed.rows, self.compared.rows, self.failed.items = [], [], [], []
        self._tell_actions()

    def feed(self, points: Mapping[str, SweepPoint]) -> None:
        """Draw the points that there are now."""
        self._points = dict(points)
        self.failed.items = [
            {"topic": point.label, "text": point.reason} for point in points.values() if point.state == "failed"
        ]
        self.draw()

    def draw(self) -> None:
        """Weigh and draw in the background; of many changes the last is drawn."""
        view = read_view(self.form.values)
        if view is None or not self._points:
            return
        self.budget.feed(self._points.values(), view)
        points = list(self._points.values())
        marked = dict(zip(self._marked, _LETTERS, strict=False))
        self._panel.latest(lambda _outdated: answer(points, view, marked), self._show, topic="sweep map")

    def mark(self, key: Any) -> None:
        """Mark a point as A, the next one as B; a third begins anew, one that is marked is let go."""
        if key not in self._points:
            return
        if key in self._marked:
            self._marked = tuple(one for one in self._marked if one != key)
        else:
            self._marked = (*self._marked[-1:], key)
        both = [self._points[one] for one in self._marked]
        pair = len(both) == len(_LETTERS)
        self.compared.rows = comparison(*both) if pair else []
        if pair:
            self.compared.title = _("A: {first}; B: {second}").format(first=both[0].label, second=both[1].label)
        self._tell_actions()
        self.draw()

    def _show(self, found: Answer) -> None:
        self.best = found.best
        self.figure.show(found.figure, found.sentence or found.summary, columns(), found.rows)
        self.tiles.tiles = tiles(found.best, limited=found.limited)
        self._tell_actions()

    def _brush(self, points: Sequence[Mapping[str, Any]]) -> None:
        keys = {point["custom"] for point in points}
        self.brushed.rows = [row for row in self.figure.rows if row.get("custom") in keys]
        self.brushed.title = _("Brushed: {n} points").format(n=len(self.brushed.rows))

    def _tell_actions(self) -> None:
        chosen = self.chosen
        name = "" if chosen is None else chosen.label
        with self.actions.hold_sync():
            for action in self.actions.actions:
                self.actions.change(action["name"], enabled=chosen is not None)
            self.actions.change("use", tooltip=_("Make it the chosen model: {point}").format(point=name))


def _form() -> Form:
    kilobytes, percent = {"unit": "kB", "half": True}, {"unit": "%", "half": True}
    nothing = _("no limit")
    return Form(
        View,
        values=View().model_dump(),
        looks={
            "x": {
                "label": _("Against"), "half": True,
                "choices": [
                    {"value": "gzip", "label": _("Size, gzip'd")}, {"value": "packed", "label": _("Size, packed")},
                    {"value": "raw", "label": _("Size of the file")}, {"value": "p95_ms", "label": _("Latency, p95")},
                ],
            },
            "size": {"label": _(LABELS["size"]), "placeholder": nothing, **kilobytes},
            "latency": {"label": _(LABELS["latency"]), "placeholder": nothing, "unit": "ms", "half": True},
            "accuracy": {"label": _(LABELS["accuracy"]), "placeholder": nothing, **percent},
        },
        shown=("x", "size", "latency", "accuracy"),
        label=_("Budget"),
    )  # fmt: skip


def _actions() -> ActionBar:
    return ActionBar(
        label=_("Results"),
        actions=[
            {"name": "use", "label": _("Use this point"), "enabled": False},
            {"name": "variant", "label": _("Add to the variants"), "enabled": False,
             "tooltip": _("Compare it with others in the panels that compare variants")},
            {"name": "csv", "label": "CSV", "enabled": False, "tooltip": _("Save all points as a table")},
            {"name": "html", "label": _("Report"), "enabled": False,
             "tooltip": _("Save map and table as one page that opens offline")},
            {"name": "py", "label": "Python", "enabled": False,
             "tooltip": _("Save the program that reproduces the sweep")},
        ],
    )  # fmt: skip


def _compared() -> list[dict[str, Any]]:
    return [
        {"name": "figure", "label": _("Figure")},
        {"name": "a", "label": "A"},
        {"name": "b", "label": "B"},
        {"name": "difference", "label": _("B less A")},
    ]
