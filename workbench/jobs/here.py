"""Run a stage in this process, as a run like any other.

For what only asks other jobs and waits for them: it needs no framework and no place in the cluster, but it has a
folder, a lease, events and a value, so panels and later processes can attach to it.
"""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING, Any

from workbench.core.errors import JobCancelledError, JobFailedError, WorkbenchError
from workbench.core.events import Event, EventReader, EventWriter
from workbench.core.workspace import Workspace
from workbench.jobs.child import run_stage, say_ended
from workbench.jobs.job import Job
from workbench.jobs.request import Request
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
    run, lease = new_run(workspace or Workspace.default(), Request.of(stage, settings, kind, None))
    events = _Telling(run, on_event)
    error: BaseException | None = None
    try:
        events.emit("state", state="running", attempt=1, pid=os.getpid())
        run_stage(run, events, resumed=False)
    except BaseException as raised:  # noqa: BLE001 - it goes on below, as what a person should read
        (run / "stderr.log").write_text(traceback.format_exc(), encoding="utf-8")
        error = raised
    finally:
        say_ended(events, 1, _told(run, error))
        events.close()
        os.close(lease)
    if isinstance(error, Exception) and not isinstance(error, WorkbenchError):
        raise _told(run, error) from error  # type: ignore[misc]
    if error is not None:
        raise error
    return Job(run)


def _told(run: Path, error: BaseException | None) -> WorkbenchError | None:
    """Return what an ending is called in the run's events."""
    if error is None or isinstance(error, WorkbenchError):
        return error
    if isinstance(error, Exception):
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        return JobFailedError(f"{run.name} failed ({what}); the traceback is in {run / 'stderr.log'}.")
    return JobCancelledError(f"{run.name} was interrupted.")


class _Telling(EventWriter):
    """A writer that also tells one listener in this process."""

    def __init__(self, run: Path, listener: Callable[[Event], object] | None) -> None:
        super().__init__(run)
        self._reader = EventReader(run)
        self._listener = listener

    def emit(self, type_: str, /, **data: Any) -> None:
        super().emit(type_, **data)
        if self._listener is not None:
            for event in self._reader.read():
                self._listener(event)
