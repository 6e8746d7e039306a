"""A row of figures that matter."""

from __future__ import annotations

import traitlets

from workbench.widgets.base import Leaf


class StatTiles(Leaf, asset="stat_tiles"):
    """Figures with their names.

    Attributes:
        tiles: One dictionary a figure: `label`, `value`, and optionally `detail` and `tooltip`, all text.
    """

    tiles = traitlets.List(traitlets.Dict()).tag(sync=True)
