"""One thing at a time: what was asked of a server, in words, while its buttons wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.widgets.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.panels.base import Panel


class Doing:
    """Does what blocks in the background, and says how it went.

    Attributes:
        line: The words.
        busy: Something is being done.
    """

    def __init__(self, panel: Panel, buttons: Callable[[], None], *, label: str, empty: str = "") -> None:
        """Do nothing yet.

        Args:
            panel: Whose errors are shown.
            buttons: Enables the buttons that may be pressed now; called whenever `busy` has changed.
            label: Accessible name of the line.
            empty: What it says at first.
        """
        self.line = Progress(label=label, text=empty)
        self.busy = False
        self._panel, self._buttons = panel, buttons

    def do(self, words: str, work: Callable[[], Any], then: Callable[[Any], str | None]) -> None:
        """Begin, unless something is being done.

        Args:
            words: What is being done.
            work: What blocks; its value goes to `then`.
            then: Shows the value and returns what came of it, one sentence.
        """
        if self.busy:
            return
        self.busy = True
        self._panel.errors.clear()
        self._buttons()
        self.say(words, active=True)

        def done(value: Any) -> None:
            self._end()
            self.say(then(value) or "", tone="good")

        def failed(error: BaseException) -> None:
            self._end()
            self.say("")
            self._panel.fail(error)

        self._panel.in_background(work, done, failed)

    def say(self, text: str, *, active: bool = False, tone: str = "accent") -> None:
        """Say something."""
        with self.line.hold_sync():
            self.line.text, self.line.active, self.line.tone = text, active, tone
            self.line.share = -1.0 if active else 0.0

    def _end(self) -> None:
        self.busy = False
        self._buttons()
