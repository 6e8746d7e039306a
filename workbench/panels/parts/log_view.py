"""The tail of a server's log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from workbench.core.language import _
from workbench.widgets.event_log import MOST_LINES, EventLog

if TYPE_CHECKING:
    from workbench.serve.handle import Sandbox

_MOST_BYTES = 64 * 1024  # of what is read in one look
_LINE = re.compile(r"\d{4}-\d\d-\d\d (\d\d:\d\d:\d\d),\d{3} ([A-Z]+) (?:workbench\.)?(.*)", re.DOTALL)
_TONES = {"WARNING": "warn", "ERROR": "bad", "CRITICAL": "bad"}


class LogView:
    """Reads what is new at each look.

    Attributes:
        widget: What is put on the page.
    """

    def __init__(self) -> None:
        self.widget = EventLog(title=_("The server's log"), empty=_("Nothing was written yet"))
        self._offset = 0
        self._run = ""

    def attach(self, server: Sandbox | None) -> None:
        """Show another server's, from its last part on."""
        self._offset, self._run = 0, server.folder.name if server else ""
        self.widget.clear()

    def gather(self, server: Sandbox) -> tuple[str, int, list[str]]:
        """Read whole lines that were written since the last time; blocks."""
        from workbench.serve.process import LOG

        path, offset = server.folder / LOG, self._offset
        try:
            size = path.stat().st_size
            begin = max(offset, size - _MOST_BYTES) if size >= offset else 0
            with path.open("rb") as file:
                file.seek(begin)
                data = file.read(_MOST_BYTES)
        except OSError:
            return server.folder.name, offset, []
        whole = data[: data.rfind(b"\n") + 1]
        return server.folder.name, begin + len(whole), whole.decode(errors="replace").splitlines()[-MOST_LINES:]

    def show(self, found: tuple[str, int, list[str]]) -> None:
        """Show what was gathered, unless it is another's by now."""
        run, offset, lines = found
        if run == self._run:
            self._offset = offset
            self.widget.add(_line(text) for text in lines)


def _line(text: str) -> dict[str, Any]:
    found = _LINE.match(text)
    if found is None:
        return {"text": text}
    time, level, words = found.groups()
    return {"time": time, "text": words if level == "INFO" else f"{level} {words}", "tone": _TONES.get(level, "quiet")}
