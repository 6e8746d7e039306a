"""A table of shaded cells: rows and columns have names, a click chooses a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from workbench.widgets.base import Leaf

if TYPE_CHECKING:
    from collections.abc import Callable


class HeatMap(Leaf, asset="heat_map"):
    """Cells with a text and a shade, a real table, so that screen readers and keyboards can walk it.

    Attributes:
        title: What is shown.
        rows: Names of the rows.
        columns: Names of the columns.
        cells: `cells[row][column]`: `text`, `shade` in [0, 1] and `hint` (a sentence for whoever looks at the cell);
            an empty dictionary is no cell.
        marked: `[row, column]` of each cell that is marked.
        caption: One line under the table while nobody looks at a cell.
        empty: What is said while there are no cells; without it the widget is hidden until then.
    """

    title = traitlets.Unicode("").tag(sync=True)
    rows = traitlets.List(traitlets.Unicode()).tag(sync=True)
    columns = traitlets.List(traitlets.Unicode()).tag(sync=True)
    cells = traitlets.List(traitlets.List(traitlets.Dict())).tag(sync=True)
    marked = traitlets.List(traitlets.List(traitlets.Int())).tag(sync=True)
    caption = traitlets.Unicode("").tag(sync=True)
    empty = traitlets.Unicode("").tag(sync=True)

    def on_pick(self, callback: Callable[[int, int], None]) -> None:
        """Call back with row and column of a cell that was clicked."""

        def picked(message: dict[str, Any]) -> None:
            row, column = message.get("row"), message.get("column")
            if (
                isinstance(row, int)
                and isinstance(column, int)
                and 0 <= row < len(self.cells)
                and 0 <= column < len(self.cells[row])
                and self.cells[row][column]
            ):
                callback(row, column)

        self.hear("pick", picked)
