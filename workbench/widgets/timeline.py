"""What happened, and when: moments one below the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from workbench.widgets.base import Leaf

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST = 200


class Timeline(Leaf, asset="timeline"):
    """Moments in order.

    Attributes:
        title: What it is a timeline of.
        moments: One dictionary a moment: `time` (as it is read), `kind` (a word or two), `words` (a sentence) and
            optionally `tone` (`quiet`, `accent`, `good`, `bad` or `warn`).
        empty: What is said while nothing has happened.
        newest_first: The latest stands at the top.
        height: Of the list, pixels, so that nothing below it moves when there is more; 0 is as high as it needs.
    """

    title = traitlets.Unicode("").tag(sync=True)
    moments = traitlets.List(traitlets.Dict()).tag(sync=True)
    empty = traitlets.Unicode("").tag(sync=True)
    newest_first = traitlets.Bool(default_value=False).tag(sync=True)
    height = traitlets.Int(0).tag(sync=True)

    def show(self, moments: Iterable[dict[str, Any]]) -> None:
        """Show moments, the oldest first; of very many the last 200."""
        self.moments = list(moments)[-_MOST:]

    def add(self, moments: Iterable[dict[str, Any]]) -> None:
        """Show more of them."""
        self.show([*self.moments, *moments])
