"""A row of tabs: one of several views is chosen."""

from __future__ import annotations

import traitlets

from workbench.widgets.base import Leaf


class TabBar(Leaf, asset="tab_bar"):
    """Says which view is wanted.

    Views that lie beside it in a box with the class `wb-sections`, each with `wb-section-0`, `wb-section-1` and so on
    in the order of the tabs (8 at most), are shown and hidden by its style sheet.

    Attributes:
        tabs: One dictionary a view: `name`, `label`, and optionally `badge`, a few letters beside it.
        selected: Name of the chosen one.
    """

    tabs = traitlets.List(traitlets.Dict()).tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)
