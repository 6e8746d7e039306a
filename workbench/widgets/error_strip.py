"""A strip that shows what went wrong, in one sentence, until it is dismissed."""

from __future__ import annotations

import traitlets

from workbench.widgets.base import Leaf, house_css


class ErrorStrip(Leaf, asset="error_strip"):
    """The first row of every panel; invisible while there is nothing to say.

    It carries the house's style sheet, so a panel that has one is dressed in any front end.

    Attributes:
        message: One sentence; empty hides the strip.
        detail: Longer text for the copy button, e.g. a traceback; never shown.
    """

    message = traitlets.Unicode("").tag(sync=True)
    detail = traitlets.Unicode("").tag(sync=True)

    _css = house_css()

    def show(self, message: str, detail: str = "") -> None:
        """Show a sentence."""
        with self.hold_sync():
            self.detail = detail
            self.message = message

    def clear(self) -> None:
        """Hide the strip."""
        self.show("")
