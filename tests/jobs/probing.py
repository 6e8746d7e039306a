"""Ways to watch jobs and their processes in tests; nothing here sleeps a fixed time."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import psutil

from workbench.core.workspace import read_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.workspace import Workspace
    from workbench.jobs import Job


def until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Return the first true value of a condition, or fail after a while."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s")
        time.sleep(0.01)
    return value


def ready(job: Job, times: int = 1) -> psutil.Process:
    """Wait until a job that holds is there (for the n-th time) and return its process."""

    def pids() -> list[int]:
        found = [event.data["pid"] for event in job.events().read() if event.type == "ready"]
        return found if len(found) >= times else []

    return psutil.Process(until(pids)[-1])


def turns(job: Job) -> list[tuple[str, int]]:
    """Return the states it went through, each with its attempt."""
    events = [event for event in job.events().read() if event.type == "state"]
    return [(event.data["state"], event.data["attempt"]) for event in events]


def worker_of(child: psutil.Process) -> psutil.Process:
    """Return the Dask worker whose forkserver made a child."""
    worker = child.parents()[1]
    assert "forkserver" not in " ".join(worker.cmdline())
    return worker


def cluster_pid(workspace: Workspace) -> int:
    return int(read_json(workspace.home / "cluster.json")["pid"])


def kill(process: psutil.Process | int) -> None:
    os.kill(process if isinstance(process, int) else process.pid, signal.SIGKILL)


def gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def go(job: Job) -> None:
    (job.folder / "go").touch()
