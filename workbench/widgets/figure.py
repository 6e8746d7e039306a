"""A figure that plotly draws: one copy of plotly's script a page, in the page's colours, with its data behind it."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from workbench.widgets.base import Leaf
from workbench.widgets.still import Still

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_QUICK = 4


class Figure(Leaf, asset="figure", parts=("still",)):
    """A plotly figure with a line that sums it up and a table of what it shows.

    The script comes from the page's server where there is ours, else from here by message, once a page.

    Attributes:
        title: What is shown; without it the figure's own title.
        height: Of the drawing, pixels.
        empty: What is said while there is no figure.
        figure: The figure as plotly's JSON, made for a light page; empty draws none.
        summary: One line that says what is to be seen.
        columns: Columns of the table, as in `DataTable`.
        rows: Rows of the table by column name; a row with `custom` can be pressed like the point with that customdata.
        bundle: Version of plotly.
        still: The picture that stays in the notebook.
    """

    title = traitlets.Unicode("").tag(sync=True)
    height = traitlets.Int(360).tag(sync=True)
    empty = traitlets.Unicode("").tag(sync=True)
    figure = traitlets.Unicode("").tag(sync=True)
    summary = traitlets.Unicode("").tag(sync=True)
    columns = traitlets.List(traitlets.Dict()).tag(sync=True)
    rows = traitlets.List(traitlets.Dict()).tag(sync=True)
    bundle = traitlets.Unicode("").tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(bundle=plotly_version(), **traits)
        self.still = Still(self, lambda: self.summary)
        self.hear("bundle", lambda _message: self.send({"type": "bundle"}, buffers=[_packed()]))

    def show(
        self,
        figure_json: str,
        summary: str,
        columns: Sequence[Mapping[str, Any]] = (),
        rows: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Draw a figure; what a person has zoomed to stays.

        Args:
            figure_json: What `Figure.to_json()` of plotly gave, made for a light page.
            summary: One line that says what is to be seen.
            columns: Columns of the table behind it, as in `DataTable`.
            rows: Rows of that table, by column name.
        """
        with self.hold_sync():
            self.figure, self.summary = figure_json, summary
            self.columns, self.rows = [dict(one) for one in columns], [dict(one) for one in rows]

    def clear(self) -> None:
        """Take the figure away; the words for empty stand there again."""
        self.show("", "")

    def on_click(self, callback: Callable[[dict[str, Any]], None]) -> None:
        """Call back with the point that was clicked: `curve`, `point` (both None from the table) and `custom`."""
        self.hear("click", lambda message: callback(_point(message.get("point"))))

    def on_select(self, callback: Callable[[list[dict[str, Any]]], None]) -> None:
        """Call back with the points that were brushed; none when the brush is taken away."""

        def selected(message: dict[str, Any]) -> None:
            points = message.get("points")
            callback([_point(one) for one in points] if isinstance(points, list) else [])

        self.hear("select", selected)


def plotly_script() -> Path:
    """Return the file of plotly's own script; nothing of plotly is imported."""
    return Path(str(files("plotly"))) / "package_data" / "plotly.min.js"


@cache
def plotly_version() -> str:
    """Return the version of plotly."""
    return version("plotly")


@cache
def _packed() -> bytes:
    return gzip.compress(plotly_script().read_bytes(), _QUICK)


def _point(sent: Any) -> dict[str, Any]:
    given = sent if isinstance(sent, dict) else {}
    return {name: given.get(name) for name in ("curve", "point", "custom")}
