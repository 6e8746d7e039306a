"""A line chart on a canvas, fed with Float32 bytes: cheap enough to redraw ten times a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets
from ipywidgets.widgets.trait_types import bytes_serialization

from workbench.widgets.base import Leaf
from workbench.widgets.still import Still

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

_MOST_POINTS = 800


class LiveChart(Leaf, asset="live_chart", parts=("still",)):
    """Named series over a common x axis.

    Attributes:
        title: What is shown, e.g. `Loss`.
        x_label: Name and unit of x.
        y_label: Name and unit of y.
        y_format: `number`, or `percent` for shares in [0, 1].
        x_range: Fixed `[low, high]`; an end that is None follows the data.
        y_range: The same for y.
        series: One dictionary a series, in drawing order: `name`, `style` (`line`, `faint`, `points`, or `dots`,
            which no line joins), `color` (0 to 3) and `count` of its points.
        data: Little-endian Float32: for each series its x values, then its y values.
        marks: Vertical lines: `x` and `label`, and optionally `until`, to where the ground is shaded.
        empty: What the chart says while it has no data.
        height: Of the drawing, pixels.
        still: The picture that stays in the notebook.
    """

    title = traitlets.Unicode("").tag(sync=True)
    x_label = traitlets.Unicode("").tag(sync=True)
    y_label = traitlets.Unicode("").tag(sync=True)
    y_format = traitlets.Enum(("number", "percent"), "number").tag(sync=True)
    x_range: traitlets.List[Any] = traitlets.List([None, None]).tag(sync=True)
    y_range: traitlets.List[Any] = traitlets.List([None, None]).tag(sync=True)
    series = traitlets.List(traitlets.Dict()).tag(sync=True)
    data = traitlets.Bytes(b"").tag(sync=True, **bytes_serialization)
    marks = traitlets.List(traitlets.Dict()).tag(sync=True)
    empty = traitlets.Unicode("").tag(sync=True)
    height = traitlets.Int(280).tag(sync=True)

    def __init__(self, series: Sequence[Mapping[str, Any]] = (), **traits: Any) -> None:
        super().__init__(series=[{"count": 0, "style": "line", **one} for one in series], **traits)
        self.still = Still(self, lambda: self.title)

    def show(self, points: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> None:
        """Replace the data.

        Args:
            points: For each series name its x and y, 1-D and of equal length. A series that is not named is
                emptied. Series longer than 800 points are thinned evenly; first and last stay.
        """
        described, parts = [], []
        for one in self.series:
            x, y = (np.asarray(axis, "<f4").ravel() for axis in points.get(one["name"], ((), ())))
            if x.size > _MOST_POINTS:
                kept = np.linspace(0, x.size - 1, _MOST_POINTS).round().astype(int)
                x, y = x[kept], y[kept]
            described.append({**one, "count": int(x.size)})
            parts += [x.tobytes(), y.tobytes()]
        with self.hold_sync():
            self.series = described
            self.data = b"".join(parts)
