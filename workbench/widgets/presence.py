"""Knows whether a page looks at this kernel, and tells the page when the kernel does not answer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import traitlets

from workbench.widgets.base import Leaf

if TYPE_CHECKING:
    from collections.abc import Callable

_SILENT_AFTER = 30.0


class Presence(Leaf, asset="presence"):
    """Draws nothing while all is well; a banner with a way back when the kernel is gone.

    The script says `shown` once it is on a page and then asks every few seconds; each question is answered.

    Attributes:
        language: What the page's browser prefers, such as `zh-CN`; empty before a page was seen.
        query: What the page's address says behind its `?`, with it.
        link: What it shall say from now on, where the page is ours: the address then opens what is seen.
    """

    link = traitlets.Unicode("").tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.language = self.query = ""
        self._seen: float | None = None
        self.hear("ping", self._answer)

    def on_shown(self, callback: Callable[[], None]) -> None:
        """Call back each time a page has drawn this widget."""

        def shown(message: dict[str, Any]) -> None:
            self._seen = time.monotonic()
            self.language, self.query = str(message.get("language", "")), str(message.get("query", ""))
            callback()

        self.hear("shown", shown)

    @property
    def watched(self) -> bool:
        """Whether a page was heard within the last half minute."""
        return self._seen is not None and time.monotonic() - self._seen < _SILENT_AFTER

    def _answer(self, message: dict[str, Any]) -> None:
        self._seen = time.monotonic()
        self.send({"type": "pong", "id": message.get("id")})
