"""The serving child as its parent holds it: started and watched by one thread, which learns of its end at once."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

from workbench.core.errors import WorkspaceError
from workbench.core.workspace import writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOG = "stderr.log"

_SECONDS_TO_START = 10.0
# What the child may say, and with what.
_FACTS = {"listening": {"ports", "note"}, "ready": set(), "failed": {"error"}, "draining": set()}


class ChildProcess:
    """Runs `workbench.serve.child` for a run folder.

    What happens is told as dictionaries with an `event`, on the watching thread: `started` (`pid`), then what the child
    itself says (`listening`, `ready`, `failed`), at last `ended` (`code`), or `refused` (`error`) where there is no
    child at all.
    """

    def __init__(self, folder: Path, lease: int, on_event: Callable[[dict[str, Any]], None]) -> None:
        self._folder = folder
        self._lease = lease
        self._tell = on_event
        self._child: subprocess.Popen[str] | None = None
        self._started = threading.Event()
        # The child ends with the *thread* that started it, so that one must live as long as this process.
        self._thread = threading.Thread(target=self._watch, name=folder.name, daemon=True)

    def start(self) -> None:
        """Start the child and return at once."""
        self._thread.start()

    def terminate(self) -> None:
        """Ask the child to finish what it is at and end."""
        self._started.wait(_SECONDS_TO_START)
        if self._child is not None:
            self._child.terminate()

    def kill(self) -> None:
        """End the child now."""
        if self._child is not None:
            self._child.kill()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end, `timeout` seconds at most, and tell whether it came."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _watch(self) -> None:
        try:
            child = self._child = self._start()
        except (OSError, WorkspaceError) as error:
            self._tell({"event": "refused", "error": str(error)})
            return
        finally:
            os.close(self._lease)
            self._started.set()
        self._tell({"event": "started", "pid": child.pid})
        assert child.stdout is not None
        assert child.stdin is not None
        with child.stdout, child.stdin:
            for line in child.stdout:
                event = _event(line)
                if event is None:
                    self._note(line)
                else:
                    self._tell(event)
            code = child.wait()
        self._tell({"event": "ended", "code": code})

    def _note(self, line: str) -> None:
        # A native library's print, or what a killed child had begun to say: kept, but nothing to act on.
        with contextlib.suppress(OSError), (self._folder / LOG).open("a", encoding="utf-8") as log:
            log.write(f"on standard output: {line.rstrip()}\n")

    def _start(self) -> subprocess.Popen[str]:
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONUNBUFFERED"] = "1"
        log = self._folder / LOG
        with writing(log), log.open("ab") as errors:
            return subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "workbench.serve.child", str(self._folder), str(os.getpid())],
                stdin=subprocess.PIPE,  # its end tells the child that we are gone
                stdout=subprocess.PIPE,
                stderr=errors,
                encoding="utf-8",
                errors="replace",
                env=environment,
                cwd=self._folder,
                start_new_session=True,  # Ctrl-C and a kernel's interrupt are not meant for it
                pass_fds=[self._lease],  # held by the child alone: the run is under way as long as it lives
            )


def _event(line: str) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    facts = _FACTS.get(str(event.get("event"))) if isinstance(event, dict) else None
    return event if facts is not None and facts <= event.keys() else None
