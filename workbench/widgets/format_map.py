"""A map of what a thing can become: columns of nodes, ways between them, what was measured on each way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from workbench.widgets.base import Leaf

if TYPE_CHECKING:
    from collections.abc import Callable


class FormatMap(Leaf, asset="format_map"):
    """Nodes that can be chosen, in columns from left to right.

    Attributes:
        columns: Titles of the columns.
        nodes: One dictionary a node: `id`, `column` (0, 1, …), `name`, optionally `detail` (beside the name), `said`
            (all of it as a sentence) and `title` (a tooltip).
        ways: One dictionary a way: `source` and `target` (ids of nodes), `tone` (`good`, `bad`, `busy`, `open` or
            `closed`), `mark` (a letter that stands for the tone) and `label` (what was measured).
        chosen: Id of the chosen node, or empty.
        empty: What is said while there are no nodes.
    """

    columns = traitlets.List(traitlets.Unicode()).tag(sync=True)
    nodes = traitlets.List(traitlets.Dict()).tag(sync=True)
    ways = traitlets.List(traitlets.Dict()).tag(sync=True)
    chosen = traitlets.Unicode("").tag(sync=True)
    empty = traitlets.Unicode("").tag(sync=True)

    def on_choose(self, callback: Callable[[str], None]) -> None:
        """Call back with the id of the node that was chosen."""

        def chosen(message: dict[str, Any]) -> None:
            callback(str(message.get("id", "")))

        self.hear("choose", chosen)
