"""The cluster process: `python -m workbench.jobs.daemon HOME`. One a workspace; a second one leaves at once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

from workbench.core.errors import WorkspaceError
from workbench.core.workspace import Workspace, write_json
from workbench.jobs import cluster, lock, preload, tls

if TYPE_CHECKING:
    from distributed import Nanny, Scheduler

IDLE_VARIABLE = "WORKBENCH_IDLE_SECONDS"
WORKERS_VARIABLE = "WORKBENCH_WORKERS"
_IDLE_SECONDS = 900.0
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_FOR_ALIVE = 1.0
_SECONDS_TO_CLOSE = 3.0
_HOST = "127.0.0.1"
_log = logging.getLogger("distributed.workbench")


def main(home: str) -> None:
    """Be the cluster of a workspace until nobody has needed it for a while."""
    workspace = Workspace.at(home)
    alive = lock.acquire(cluster.alive_lock(workspace), timeout=_SECONDS_FOR_ALIVE)
    if alive is None:
        return
    try:
        cluster.facts_file(workspace).unlink(missing_ok=True)
        tls.ensure_certificate(workspace)
        asyncio.run(_serve(workspace, alive))
    except Exception:  # noqa: BLE001 - nobody is above us to tell
        _log.exception("the cluster ended")
        cluster.facts_file(workspace).unlink(missing_ok=True)
        os._exit(1)
    # The worker sees the end of its pipe and ends with its children; threads of ours need not be waited for.
    os._exit(0)


async def _serve(workspace: Workspace, alive: int) -> None:
    import dask

    dask.config.set(_configuration(workspace))
    from distributed import Nanny, Scheduler

    security = tls.security(workspace)
    no_page = {"dashboard": False, "dashboard_address": f"{_HOST}:0"}
    scheduler = Scheduler(host=_HOST, port=0, protocol="tls", security=security, **no_page)
    await scheduler
    facts = _facts(scheduler.address)
    write_json(cluster.facts_file(workspace), facts, private=True)
    threads = int(os.environ.get(WORKERS_VARIABLE) or os.cpu_count() or 1)
    nanny = Nanny(
        scheduler.address, nthreads=threads, security=security, host=_HOST, memory_limit=None,
        preload=["workbench.jobs.preload"], **no_page,
    )  # fmt: skip
    await nanny
    await _until_unneeded(workspace, scheduler, facts, alive)
    await _close(nanny)


def _configuration(workspace: Workspace) -> dict[str, Any]:
    return {
        "temporary-directory": str(cluster.log_file(workspace).parent),
        # A nanny's worker is daemonic by default and may then have no children.
        "distributed.worker.daemon": False,
        # Jobs that only waited in a worker that was killed are placed again; one that had begun refuses a second
        # beginning itself (see `execute`), so nothing is retried.
        "distributed.scheduler.allowed-failures": 1000,
        "distributed.nanny.pre-spawn-environ": preload.environment(),
        # Dask watches itself 50 to 1,000 times a second; a cluster that idles all day must cost nothing.
        "distributed.admin.tick.interval": "1s",
        "distributed.admin.tick.limit": "30s",
        "distributed.admin.system-monitor.interval": "5s",
        "distributed.admin.system-monitor.gil.enabled": False,
        "distributed.worker.profile.enabled": False,
        "distributed.worker.memory.monitor-interval": "5s",
        "distributed.scheduler.work-stealing": False,
        "distributed.scheduler.active-memory-manager.start": False,
        # No web pages, not even on loopback: they know no password.
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
    }


def _facts(address: str) -> dict[str, Any]:
    return {"id": secrets.token_hex(8), "address": address, "pid": os.getpid(), "started": time.time()}


async def _until_unneeded(workspace: Workspace, scheduler: Scheduler, facts: dict[str, Any], alive: int) -> None:
    """Return when told to end, or when idle; then the cluster can no longer be found."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    patience = float(os.environ.get(IDLE_VARIABLE) or _IDLE_SECONDS)
    busy = time.time()
    while not told.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(told.wait(), min(_SECONDS_BETWEEN_LOOKS, patience / 4))
        if not cluster.alive_lock(workspace).exists():
            _log.warning("ended: the workspace was deleted")
            return
        if not told.is_set() and cluster.written(workspace) is None:
            # Somebody deleted or damaged it; nobody could send us work, or end us.
            with contextlib.suppress(WorkspaceError):
                write_json(cluster.facts_file(workspace), facts, private=True)
        if _works(scheduler):
            busy = time.time()
        if time.time() - max(busy, _last_visit(workspace)) > patience and _leave(workspace, scheduler, alive):
            _log.warning("ended after %g s without work", patience)
            return
    cluster.facts_file(workspace).unlink(missing_ok=True)


def _works(scheduler: Scheduler) -> bool:
    return any(task.state not in ("memory", "erred", "forgotten") for task in scheduler.tasks.values())


def _last_visit(workspace: Workspace) -> float:
    try:
        return cluster.door_lock(workspace).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _leave(workspace: Workspace, scheduler: Scheduler, alive: int) -> bool:
    """Stop being findable while nobody is at the door; False where somebody is or has just left work."""
    door = lock.acquire(cluster.door_lock(workspace))
    if door is None:
        return False
    try:
        if _works(scheduler):
            return False
        cluster.facts_file(workspace).unlink(missing_ok=True)
        os.close(alive)
        return True
    finally:
        os.close(door)


async def _close(nanny: Nanny) -> None:
    with contextlib.suppress(Exception):
        await asyncio.wait_for(nanny.close(timeout=_SECONDS_TO_CLOSE / 2), _SECONDS_TO_CLOSE)


if __name__ == "__main__":
    main(sys.argv[1])
