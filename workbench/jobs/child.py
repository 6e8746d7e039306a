"""In the forked child: one attempt of one job, and nothing else for the rest of this process's life."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import faulthandler
import importlib
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import traceback
from multiprocessing import forkserver, reduction
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from workbench.core.errors import JobCancelledError, JobFailedError, JobPausedError, WorkbenchError, WorkspaceError
from workbench.core.events import EventReader, EventWriter
from workbench.core.records import Record
from workbench.core.workspace import write_json
from workbench.jobs import preload
from workbench.jobs.request import Request
from workbench.jobs.stage import StageContext
from workbench.jobs.state import VALUE, workspace_of

_PR_SET_PDEATHSIG = 1
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class Lease:
    """The descriptor that holds the run's lease, on its way from the worker to the child."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, (reduction.DupFd(self.descriptor),)


def _arrived(travelling: Any) -> Lease:
    descriptor = travelling.detach()
    # A program that the stage starts must not keep the lease when the stage is gone.
    os.set_inheritable(descriptor, False)  # noqa: FBT003
    return Lease(descriptor)


def main(folder: str, attempt: int, lease: Lease) -> None:  # noqa: ARG001 - the lease is held by being open
    """Run the stage of a run, say how it ended, and end the process.

    Threads, memory and handlers that the stage left behind end with it.
    """
    run = Path(folder)
    _die_with_worker()
    _print_to(run / "stderr.log")
    os.environ["WORKBENCH_HOME"] = str(workspace_of(run).home)
    os.chdir(run)
    scratch = _scratch(run)
    events = EventWriter(run)
    error = _attempt(run, attempt, events)
    shutil.rmtree(scratch, ignore_errors=True)
    say_ended(events, attempt, error)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(0)


def _scratch(run: Path) -> Path:
    """Give the stage a folder for temporary files that goes with the run, however the run ends.

    TensorFlow's autograph leaves its generated sources behind, and so does whatever is killed.
    """
    folder = run / "tmp"
    with contextlib.suppress(OSError):  # a full disk is told by the first event
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    return folder


def say_ended(events: EventWriter, attempt: int, error: WorkbenchError | None) -> None:
    """Write the event that ends an attempt.

    Raises:
        WorkspaceError: The disk refused it; the run then counts as lost.
    """
    if error is None:
        events.emit("state", state="done", attempt=attempt)
    elif isinstance(error, JobCancelledError):
        events.emit("state", state="cancelled", attempt=attempt)
    elif isinstance(error, JobPausedError):
        events.emit("state", state="paused", attempt=attempt)
    else:
        events.emit("state", state="failed", attempt=attempt, error=error.to_dict())


def _attempt(run: Path, attempt: int, events: EventWriter) -> WorkbenchError | None:
    try:
        before = [event.data["state"] for event in EventReader(run).read() if event.type == "state"]
        events.emit("state", state="running", attempt=attempt, pid=os.getpid())
        if multiprocessing.get_start_method(allow_none=True) == "forkserver":
            for sentence in preload.make_up():
                events.emit("note", text=sentence)
        run_stage(run, events, resumed="running" in before)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is told as text
        # A full disk takes no traceback, but perhaps the one line that says so.
        with contextlib.suppress(OSError):
            traceback.print_exc()
        return told(run, error)
    return None


def told(run: Path, error: BaseException) -> WorkbenchError:
    """Return an error as what a person should read."""
    if isinstance(error, WorkbenchError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return JobCancelledError(f"{run.name} was interrupted.")
    if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
        return WorkspaceError(
            f"{run.name} could not write to {workspace_of(run).home} ({error.strerror}); "
            "free some space, then resume it."
        )
    what = f"{type(error).__name__}: {error}".rstrip(": ").splitlines()[0]
    return JobFailedError(f"{run.name} failed ({what}); the traceback is in {run / 'stderr.log'}.")


def run_stage(run: Path, events: EventWriter, *, resumed: bool) -> None:
    """Call the stage that a run's request names and keep its value."""
    request = Request.load(run)
    module, function = request.stage.split(":")
    stage = getattr(importlib.import_module(module), function)
    context = StageContext(
        folder=run, settings=request.settings, workspace=workspace_of(run), resumed=resumed, events=events
    )
    value = stage(context)
    write_json(context.result / VALUE, value.to_json() if isinstance(value, Record) else value)


def _die_with_worker() -> None:
    """Leave no process behind, whichever of worker and forkserver is killed first."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True).start()
    # The kernel does the same where the interpreter is busy and the thread cannot run: the forkserver ends when its
    # last client does. As an heir of the worker's end of that pipe we would keep it alive for ever.
    alive = forkserver._forkserver._forkserver_alive_fd  # type: ignore[attr-defined]  # noqa: SLF001
    if alive is not None:
        os.close(alive)
        forkserver._forkserver._forkserver_alive_fd = None  # type: ignore[attr-defined]  # noqa: SLF001
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _watch(worker: int) -> None:
    wait([worker])
    os.kill(os.getpid(), signal.SIGKILL)


def _print_to(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115 - for the rest of our life
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
    faulthandler.enable(file=2)
