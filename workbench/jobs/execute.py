"""In the worker: see one attempt of a job from its start to its end.

Dask calls `execute` in a thread of its worker, possibly again after a worker died; an attempt that has once begun is
never begun again. The lease is taken here and handed to the child: it is free only when both are gone, so there is
never a second writer, and no moment in which a job that is being ended looks lost.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.errors import JobCancelledError, JobFailedError, JobPausedError, WorkbenchError
from workbench.core.events import EventReader, EventWriter
from workbench.jobs import child, lock, preload
from workbench.jobs.request import FILE_NAME, Limits, Request
from workbench.jobs.state import CANCEL, FINAL, LEASE, PAUSE, standing

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

_log = logging.getLogger("distributed.workbench")
_SECONDS_FOR_LEASE = 60.0  # who submits holds it until the job is said to be queued
_SECONDS_BETWEEN_LOOKS = 0.05
_NEXT = "ask for it with a larger {}_limit, or give it less to do"
# multiprocessing polls all children whenever one is started; two threads that read one exit code spoil it.
_processes = threading.Lock()


def execute(folder: str, attempt: int) -> None:
    """Run one attempt in a child process.

    Args:
        folder: The run's folder.
        attempt: Which attempt was queued, from 1.
    """
    run = Path(folder)
    if not (run / FILE_NAME).is_file():
        return  # who submitted it could not finish and took it back
    lease = lock.acquire(run / LEASE, timeout=_SECONDS_FOR_LEASE)
    if lease is None:
        _log.error("%s is being worked on by another process", run.name)
        return
    try:
        if _is_due(run, attempt):
            _supervise(run, attempt, lease)
    except Exception:
        # The disk refuses even the word that it failed, or no process can be had. Without its lease file a run
        # counts as lost; the log of the cluster has the reason.
        (run / LEASE).unlink(missing_ok=True)
        raise
    finally:
        lock.release(lease)


def _is_due(run: Path, attempt: int) -> bool:
    turns = [event.data for event in EventReader(run).read() if event.type == "state"]
    return not any(
        turn.get("attempt", 0) > attempt or (turn.get("attempt") == attempt and turn.get("state") != "queued")
        for turn in turns
    )


def _supervise(run: Path, attempt: int, lease: int) -> None:
    if (run / CANCEL).exists():
        _finish(run, attempt, JobCancelledError(f"{run.name} was cancelled."))
        return
    if (run / PAUSE).exists():
        _finish(run, attempt, JobPausedError(f"{run.name} was paused."))
        return
    process = preload.context().Process(target=child.main, args=(str(run), attempt, child.Lease(lease)), name=run.name)
    with _processes:
        process.start()
    ended = _watch(run, process, Request.load(run).limits)
    with _processes:
        process.join()
        code = process.exitcode
        process.close()
    # The child may have come to its own end in the same moment; the first word counts.
    if standing(run).state not in FINAL:
        _finish(run, attempt, ended or _death(run, code))


def _watch(run: Path, process: BaseProcess, limits: Limits) -> WorkbenchError | None:
    """Wait for the child's end, or kill it where there is reason to, and return the reason."""
    begun = time.monotonic()
    while not wait([process.sentinel], timeout=_SECONDS_BETWEEN_LOOKS):
        reason = _reason_to_end(run, process.pid, limits, time.monotonic() - begun)
        if reason is not None:
            process.kill()
            return reason
    return None


def _reason_to_end(run: Path, pid: int | None, limits: Limits, seconds: float) -> WorkbenchError | None:
    if (run / CANCEL).exists():
        return JobCancelledError(f"{run.name} was cancelled.")
    if limits.seconds is not None and seconds > limits.seconds:
        return JobFailedError(
            f"{run.name} was ended: it took longer than its limit of {limits.seconds:g} s; {_NEXT.format('time')}."
        )
    if limits.memory_bytes is not None and _own_bytes(pid) > limits.memory_bytes:
        return JobFailedError(
            f"{run.name} was ended: it took more memory than its limit of {limits.memory_bytes} bytes; "
            f"{_NEXT.format('memory')}."
        )
    return None


def _own_bytes(pid: int | None) -> int:
    """Return the memory that only this process holds; what it shares with the forkserver is not its own."""
    import psutil

    try:
        return int(psutil.Process(pid).memory_full_info().uss)
    except psutil.Error:
        return 0


def _death(run: Path, code: int | None) -> JobFailedError:
    how = f"ended with exit code {code}"
    if code is not None and code < 0:
        how = f"was killed by {signal.Signals(-code).name}"
        if -code == signal.SIGKILL:
            how += " (by hand, or by the system because memory ran out)"
    return JobFailedError(f"The process of {run.name} {how}; its output is in {run / 'stderr.log'}.")


def _finish(run: Path, attempt: int, error: WorkbenchError) -> None:
    events = EventWriter(run)
    try:
        child.say_ended(events, attempt, error)
    finally:
        events.close()
