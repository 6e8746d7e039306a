"""The serving child as its parent holds it: started and watched by one thread, which learns of its end at once."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any, Protocol

from workbench.core.errors import WorkspaceError
from workbench.core.workspace import writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOG = "stderr.log"
SERVER = "server.json"
"""File in the run folder that tells other processes where the server is."""

_SECONDS_TO_START = 10.0
# What the child may say, and with what.
FACTS_OF: dict[str, set[str]] = {
    "listening": {"ports", "note", "control"},
    "loading": set(),
    "ready": {"probe"},
    "changed": {"done"},
    "failed": {"error"},
    "draining": set(),
}


class Link(Protocol):
    """A server as a handle holds it, ours or somebody else's.

    What happens is told as dictionaries with an `event`, on one thread of the link's own: `started` (`pid`), then what
    the child itself says (`FACTS_OF`), at last `ended` (`code`, None where nobody knows), or `refused` (`error`) where
    there is no child at all.
    """

    def start(self) -> None:
        """Begin, and return at once."""

    def terminate(self) -> None:
        """Ask the child to finish what it is at and end."""

    def kill(self) -> None:
        """End the child now."""

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end, `timeout` seconds at most, and tell whether it came."""


class ChildProcess:
    """Runs `workbench.serve.child` for a run folder."""

    def __init__(
        self, folder: Path, lease: int, on_event: Callable[[dict[str, Any]], None], *, keep: bool = False
    ) -> None:
        """Start nothing yet.

        Args:
            folder: The run folder.
            lease: Descriptor of its lock, which the child holds from now on.
            on_event: Is told what happens.
            keep: The child may outlive this process.
        """
        self._folder = folder
        self._lease = lease
        self._tell = on_event
        self._keep = keep
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
        with child.stdout:
            for line in child.stdout:
                event = _event(line)
                if event is None:
                    self._note(line)
                else:
                    self._tell(event)
            code = child.wait()
        if child.stdin is not None:
            child.stdin.close()
        self._tell({"event": "ended", "code": code})

    def _note(self, line: str) -> None:
        # A native library's print, or what a killed child had begun to say: kept, but nothing to act on.
        with contextlib.suppress(OSError), (self._folder / LOG).open("a", encoding="utf-8") as log:
            log.write(f"on standard output: {line.rstrip()}\n")

    def _start(self) -> subprocess.Popen[str]:
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONUNBUFFERED"] = "1"
        environment["WORKBENCH_HOME"] = str(self._folder.parent.parent)  # whose models are trusted there
        log = self._folder / LOG
        parent = 0 if self._keep else os.getpid()
        with writing(log), log.open("ab") as errors:
            return subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "workbench.serve.child", str(self._folder), str(parent)],
                # A pipe whose end tells the child that we are gone.
                stdin=subprocess.DEVNULL if self._keep else subprocess.PIPE,
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
    facts = FACTS_OF.get(str(event.get("event"))) if isinstance(event, dict) else None
    return event if facts is not None and facts <= event.keys() else None
