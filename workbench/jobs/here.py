"""Run a stage in this process, as a run like any other.

For what only asks other jobs and waits for them: it needs no framework and no place in the cluster, but it has a
folder, a lease, events and a value, so panels and later processes can attach to it.
"""

from __future__ import annotations

import contextlib
import os
import traceback
from typing import TYPE_CHECKING, Any

from workbench.core.errors import JobCancelledError, WorkspaceError
from workbench.core.events import Event, EventReader, EventWriter
from workbench.core.workspace import Workspace
from workbench.jobs import lock
from workbench.jobs.child import run_stage, say_ended, told
from workbench.jobs.job import Job
from workbench.jobs.request import Request
from workbench.jobs.state import CANCEL
from workbench.jobs.submission import new_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def here(
    stage: str,
    settings: Any,
    *,
    kind: str,
    workspace: Workspace | None = None,
    on_event: Callable[[Event], object] | None = None,
) -> Job:
    """Run a stage in this thread and return its ended job.

    Args:
        stage: Import path of the stage function, `package.module:function`.
        settings: A `Settings`, a `Record` or a mapping of plain JSON.
        kind: What people call this sort of job.
        workspace: Where it lies; the default workspace if None.
        on_event: Called in this thread with each event as it is written.

    Raises:
        WorkbenchError: What the stage raised; the traceback is in the run's `stderr.log`.
        JobFailedError: It failed in a way that nobody foresaw.
    """
    workspace = Workspace.of(workspace)
    run, lease = new_run(workspace, Request.of(stage, settings, kind, where="asker"))
    try:
        events = _Telling(run, on_event)
        try:
            _attempt(run, events)
        finally:
            events.close()
    finally:
        lock.release(lease)
    return Job(run)


def _attempt(run: Path, events: EventWriter) -> None:
    try:
        events.emit("state", state="running", attempt=1, pid=os.getpid())
        run_stage(run, events, resumed=False)
    except BaseException as error:
        # A full disk takes no traceback, but perhaps the one line that says so.
        with contextlib.suppress(OSError):
            (run / "stderr.log").write_text(traceback.format_exc(), encoding="utf-8")
        said = told(run, error)
        with contextlib.suppress(WorkspaceError):
            say_ended(events, 1, said)
        if isinstance(error, Exception):
            raise said from error
        raise
    say_ended(events, 1, None)


class _Telling(EventWriter):
    """A writer that also tells one listener in this process."""

    def __init__(self, run: Path, listener: Callable[[Event], object] | None) -> None:
        super().__init__(run)
        self._run = run
        self._reader = EventReader(run)
        self._listener = listener

    def emit(self, type_: str, /, **data: Any) -> None:
        """Append and tell; whoever cancelled the run from elsewhere is obeyed here, between two steps.

        Raises:
            JobCancelledError: Somebody cancelled the run.
            WorkspaceError: The disk refused the event.
        """
        super().emit(type_, **data)
        if self._listener is not None:
            for event in self._reader.read():
                self._listener(event)
        if type_ != "state" and (self._run / CANCEL).exists():
            raise JobCancelledError(f"{self._run.name} was cancelled.")
