"""A row of tabs: one of several views is chosen."""

from __future__ import annotations

import traitlets

from workbench.widgets.base import Leaf


class TabBar(Leaf, asset="tab_bar"):
    """Says which view is wanted; whoever owns the views shows it.

    Attributes:
        tabs: One dictionary a view: `name`, `label`, and optionally `badge`, a few letters beside it.
        selected: Name of the chosen one.
    """

    tabs = traitlets.List(traitlets.Dict()).tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)
