"""A server that another process started, as a handle holds it: watched over its control socket."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

from workbench.core.errors import ServingError
from workbench.jobs.lock import is_held
from workbench.jobs.state import LEASE, standing
from workbench.serve.supervision.asking import Connection, ask

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SECONDS_TO_GO = 5.0
_SECONDS_BETWEEN_LOOKS = 0.01


class AttachedProcess:
    """Watches the server of a run folder; implements `process.Link`."""

    def __init__(self, folder: Path, control: str, on_event: Callable[[dict[str, Any]], None]) -> None:
        """Connect.

        Raises:
            ServingError: It does not answer.
        """
        self._folder = folder
        self._control = control
        self._tell = on_event
        self._connection = Connection(control)
        self._pid = self._connection.pid
        self._thread = threading.Thread(target=self._watch, name=folder.name, daemon=True)

    def start(self) -> None:
        """Begin to watch and return at once."""
        self._thread.start()

    def terminate(self) -> None:
        """Ask the server to finish what it is at and end."""
        with contextlib.suppress(ServingError):  # it has ended
            ask(self._control, "stop", seconds=5.0)

    def kill(self) -> None:
        """End the server now."""
        # The connection is still up, so the number is not another's yet.
        if self._pid is not None and self._thread.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end, `timeout` seconds at most, and tell whether it came."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _watch(self) -> None:
        with contextlib.suppress(ServingError):
            facts = self._connection.call("watch")
            self._tell({"event": "started", "pid": facts["pid"]})
            if facts["ports"]:
                self._tell({"event": "listening", **facts})
            self._tell({"event": facts["state"], "probe": facts["probe"]})
            for event in self._connection.events():
                self._tell(event)
        self._connection.close()
        self._wait_until_gone()
        self._tell({"event": "ended", "code": self._code()})

    def _wait_until_gone(self) -> None:
        # Its last words are written before it lets the run go.
        deadline = time.monotonic() + _SECONDS_TO_GO
        while is_held(self._folder / LEASE) and time.monotonic() < deadline:
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def _code(self) -> int | None:
        now = standing(self._folder)
        if now.state == "failed" and now.error is not None:
            self._tell({"event": "failed", "error": now.error["message"]})
        return 0 if now.state == "done" else None
