"""Ask for a job, and find it again."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING, Any

from workbench.core.role import may_act
from workbench.core.workspace import Workspace
from workbench.jobs import lock
from workbench.jobs import reuse as cache
from workbench.jobs.job import Job
from workbench.jobs.place import place
from workbench.jobs.request import FILE_NAME, Request
from workbench.jobs.state import LEASE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from workbench.core.events import Event


def submit(
    stage: str,
    settings: Any,
    *,
    kind: str,
    workspace: Workspace | None = None,
    reuse: bool = True,
    limits: dict[str, float] | None = None,
) -> Job:
    """Have a stage run in a process of its own; the job outlives this one.

    Args:
        stage: Import path of the stage function, `package.module:function`.
        settings: A `Settings`, a `Record` or a mapping of plain JSON.
        kind: What people call this sort of job, e.g. `train`.
        workspace: Where it lies; the default workspace if None.
        reuse: Return the job that already answers the same question, done or under way, if there is one.
        limits: `seconds` and `memory_bytes` after which it is ended.

    Raises:
        BadInputError: A name or setting is malformed, or this process is a viewer's and nobody asked that before.
        WorkspaceError: The disk refused it, or no cluster could be started; nothing is left behind.
    """
    workspace = Workspace.of(workspace)
    request = Request.of(stage, settings, kind, limits=limits)
    # Who only looks may have what was answered before, and takes no lock for it.
    if not may_act() and reuse and (known := cache.find(workspace, request)) is not None:
        return known
    if not reuse:
        run, lease = new_run(workspace, request)
    else:
        with lock.locked(cache.results(workspace) / ".lock"):
            found = cache.find(workspace, request)
            if found is not None:
                return found
            run, lease = new_run(workspace, request)
            with _wholly(run, lease):
                cache.remember(workspace, request, run)
    with _wholly(run, lease):
        place(run, 1)
    lock.release(lease)
    return Job(run, begun_here=True)


def finish(*asked: Job, on_event: Callable[[Event], object] | None = None) -> None:
    """Wait for the end of jobs that were just asked for, one after the other.

    Whoever interrupts the waiting (Ctrl-C, the notebook's stop button, a cancel of the run that waits) means these
    jobs too: the ones that were begun for us are cancelled; one that others had begun goes on.

    Args:
        asked: What `submit` returned.
        on_event: Called in this thread with each event of each job.

    Raises:
        WorkbenchError: As `Job.wait` does, for the first job that did not end well.
    """
    try:
        for job in asked:
            job.wait(on_event=on_event)
    except BaseException:
        for job in asked:
            if job.begun_here:
                job.cancel()
        raise


def attach(run_id: str, workspace: Workspace | None = None) -> Job:
    """Return the handle of a job that was asked for earlier or elsewhere.

    Raises:
        BadInputError: There is no such run.
    """
    return Job(Workspace.of(workspace).run(run_id))


def jobs(workspace: Workspace | None = None, kind: str | None = None) -> list[Job]:
    """Return all jobs of a workspace, newest first."""
    runs = Workspace.of(workspace).list_runs(kind)
    return [Job(run) for run in runs if (run / FILE_NAME).is_file()]


def new_run(workspace: Workspace, request: Request) -> tuple[Path, int]:
    """Make a run's folder and take its lease, which tells the others that the run is cared for."""
    run = workspace.new_run(request.kind)
    try:
        lease = lock.acquire(run / LEASE)
        assert lease is not None, "nobody else knows of this folder"
    except BaseException:
        shutil.rmtree(run, ignore_errors=True)
        raise
    with _wholly(run, lease):
        request.write(run)
    return run, lease


@contextlib.contextmanager
def _wholly(run: Path, lease: int) -> Iterator[None]:
    """Take the run back where a block fails."""
    try:
        yield
    except BaseException:
        shutil.rmtree(run, ignore_errors=True)
        lock.release(lease)
        raise
