"""The tail of a log: its last lines, looked through and copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from workbench.widgets.base import Leaf

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_LINES = 200
_MOST_SIGNS = 400


class EventLog(Leaf, asset="event_log"):
    """Lines of text, the last ones only; the page follows the end unless somebody has scrolled away from it.

    Attributes:
        title: Whose log it is.
        lines: One dictionary a line: `text`, and optionally `time` (as it is read) and `tone` (`quiet`, `warn`, `bad`).
        empty: What is said while there are none.
        dropped: Lines before these that are no longer shown.
    """

    title = traitlets.Unicode("").tag(sync=True)
    lines = traitlets.List(traitlets.Dict()).tag(sync=True)
    empty = traitlets.Unicode("").tag(sync=True)
    dropped = traitlets.Int(0).tag(sync=True)

    def add(self, lines: Iterable[dict[str, Any]]) -> None:
        """Append lines in one go; long ones are cut, and the oldest are let go of beyond 200."""
        news = [{**line, "text": _cut(str(line["text"]))} for line in lines]
        if not news:
            return
        every = [*self.lines, *news]
        with self.hold_sync():
            self.dropped += max(len(every) - MOST_LINES, 0)
            self.lines = every[-MOST_LINES:]

    def clear(self) -> None:
        """Forget all of it, e.g. since it is another's now."""
        with self.hold_sync():
            self.dropped, self.lines = 0, []


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_SIGNS else f"{text[:_MOST_SIGNS]}…"
