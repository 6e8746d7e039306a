"""A square table of counts as a heat map: right on the diagonal, wrong off it."""

from __future__ import annotations

import traitlets

from workbench.widgets.base import Leaf


class Matrix(Leaf, asset="matrix"):
    """Counts of pairs, a real table, so that screen readers and keyboards can walk it.

    Attributes:
        title: What is counted.
        labels: Names of rows and columns.
        counts: `counts[row][column]`.
        row_title: What a row is, e.g. `true class`.
        column_title: What a column is.
        selected: `[row, column]` of the chosen cell, or empty.
        empty: What is said while there are no counts; without it the widget is hidden until then.
    """

    title = traitlets.Unicode("").tag(sync=True)
    labels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    counts = traitlets.List(traitlets.List(traitlets.Int())).tag(sync=True)
    row_title = traitlets.Unicode("").tag(sync=True)
    column_title = traitlets.Unicode("").tag(sync=True)
    selected = traitlets.List(traitlets.Int()).tag(sync=True)
    empty = traitlets.Unicode("").tag(sync=True)
