"""How a watched server does: requests, errors and latency as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.language import _
from workbench.panels.base import grid
from workbench.panels.parts.run_view import percent
from workbench.widgets.live_chart import LiveChart
from workbench.widgets.stat_tiles import StatTiles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.core.records.monitor import MonitorReport
    from workbench.panels.parts.watched import Point, Watched

_SECONDS_SHOWN = 120.0


class HealthView:
    """Tiles and two charts.

    Attributes:
        tiles: Figures of the last look.
        widget: What is put on the page.
    """

    def __init__(self) -> None:
        self.tiles = StatTiles(label=_("The last look"))
        self._rate = _chart(_("Requests"), _("a second"), (_("requests"), _("errors")))
        self._late = _chart(_("Latency"), _("milliseconds"), ("p50", "p95", "p99"))
        self.widget = grid("halves", self._rate, self._late)

    def clear(self) -> None:
        """Show nothing."""
        self.tiles.tiles = []
        for chart in (self._rate, self._late):
            chart.show({})

    def show(self, watched: Watched, report: MonitorReport, point: Point) -> None:
        """Show what the last look added."""
        self.tiles.tiles = _tiles(report, point)
        points = list(watched.points)
        now = points[-1].time
        ages = np.array([each.time - now for each in points])
        recent = ages >= -_SECONDS_SHOWN
        names = [one["name"] for one in self._rate.series]
        rates = zip(names, ([p.requests for p in points], [p.errors for p in points]), strict=True)
        self._rate.show({name: _known(ages, values, recent) for name, values in rates})
        late = {"p50": [p.p50 for p in points], "p95": [p.p95 for p in points], "p99": [p.p99 for p in points]}
        self._late.show({name: _known(ages, values, recent) for name, values in late.items()})


def _known(ages: Any, values: Iterable[float | None], recent: Any) -> tuple[Any, Any]:
    y = np.array([np.nan if value is None else value for value in values], float)
    kept = recent & np.isfinite(y)
    return ages[kept], y[kept]


def _chart(title: str, unit: str, names: tuple[str, ...]) -> LiveChart:
    return LiveChart(
        [{"name": name, "color": color, "style": "line"} for color, name in enumerate(names)],
        title=title,
        x_label=_("seconds from now"),
        y_label=unit,
        x_range=[-_SECONDS_SHOWN, 0],
        y_range=[0, None],
        height=220,
        empty=_("It is drawn here while a server is watched"),
    )


def _tiles(report: MonitorReport, point: Point) -> list[dict[str, str]]:
    errors, right = report.error_rate, report.accuracy
    return [
        {
            "label": _("Requests a second"),
            "value": "–" if point.requests is None else f"{point.requests:,.0f}",
            "detail": _("since the look before"),
        },
        {
            "label": _("Errors"),
            "value": "–" if errors is None else percent(errors.value),
            "detail": _("too few requests yet") if errors is None else _interval(errors),
        },
        {
            "label": "p95",
            "value": "–" if point.p95 is None else f"{point.p95:.3g} ms",
            "detail": "" if point.p99 is None else f"p99 {point.p99:.3g} ms",
        },
        {
            "label": _("Accuracy"),
            "value": "–" if right is None else percent(right.value),
            "detail": _("too few labels yet") if right is None else _interval(right),
        },
    ]


def _interval(share: Any) -> str:
    measured = _("measured on {n}").format(n=f"{share.total:,}")
    return f"[{100 * share.low:.1f}, {100 * share.high:.1f}]  {measured}"
