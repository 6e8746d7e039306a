"""A small table that sorts at a click, with shares drawn as bars."""

from __future__ import annotations

import traitlets

from workbench.widgets.base import Leaf


class DataTable(Leaf, asset="data_table"):
    """Rows and columns.

    Attributes:
        title: What the table holds.
        columns: One dictionary a column: `name`, `label`, and optionally `format` (`text`, `int`, `number`,
            `share`), `tooltip`, `most` (the share that fills a bar; 1 if it is not said) and `wrap` (a sentence may
            take several lines).
        rows: One dictionary a row, by column name.
        empty: What is said while there are no rows; without it the widget is hidden until then.
        selectable: Rows have a box to tick; each then has a `key`, a text that no other row has.
        selected: Keys of the ticked rows, in the order they were ticked.
    """

    title = traitlets.Unicode("").tag(sync=True)
    columns = traitlets.List(traitlets.Dict()).tag(sync=True)
    rows = traitlets.List(traitlets.Dict()).tag(sync=True)
    empty = traitlets.Unicode("").tag(sync=True)
    selectable = traitlets.Bool(default_value=False).tag(sync=True)
    selected = traitlets.List(traitlets.Unicode()).tag(sync=True)
