"""Find the workspace's cluster, or start it.

The cluster is a process of its own. While it lives it holds the lock `cluster/alive`, and `cluster.json` says where
it listens: a file without the lock is what a killed cluster left behind. Whoever talks to it holds the lock
`cluster/door` shared; the cluster takes it exclusively before it ends itself, so nobody speaks to one that is leaving.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.core.errors import BadInputError, WorkspaceError
from workbench.core.role import require_operator
from workbench.core.workspace import Workspace, read_json, writing
from workbench.jobs import lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCHEDULER_VARIABLE = "WORKBENCH_SCHEDULER"
_ADDRESS = re.compile(r"tls://[^/:\s]+:\d{1,5}/?|tls://\[[0-9a-fA-F:]+\]:\d{1,5}/?")
_SECONDS_BETWEEN_LOOKS = 0.02
_SECONDS_TO_START = 60.0
_SECONDS_TO_STOP = 10.0


@dataclass(frozen=True)
class Cluster:
    """Where jobs are sent.

    Attributes:
        id: Tells one cluster of a workspace from the next; the address, for one that is not ours.
        address: `tls://host:port`.
        pid: Its process, 0 for one that is not ours.
    """

    id: str
    address: str
    pid: int


def ensure_cluster(workspace: Workspace | None = None) -> None:
    """Start the cluster if there is none and return at once; it goes on to import TensorFlow by itself.

    Raises:
        WorkspaceError: The workspace cannot be written.
        BadInputError: `WORKBENCH_SCHEDULER` is no TLS address.
    """
    workspace = Workspace.of(workspace)
    if find(workspace) is None and not lock.is_held(alive_lock(workspace)):
        _spawn(workspace)
    if external() is None:
        touch(workspace)


def find(workspace: Workspace) -> Cluster | None:
    """Return the cluster that answers for a workspace now, without asking it."""
    elsewhere = external()
    if elsewhere is not None:
        return elsewhere
    return written(workspace) if lock.is_held(alive_lock(workspace)) else None


def written(workspace: Workspace) -> Cluster | None:
    """Return what `cluster.json` says, None where it is missing or damaged; a living cluster writes it anew."""
    try:
        facts = read_json(facts_file(workspace))
        return Cluster(id=str(facts["id"]), address=str(facts["address"]), pid=int(facts["pid"]))
    except (WorkspaceError, KeyError, TypeError, ValueError):
        return None


def external() -> Cluster | None:
    """Return the cluster that `WORKBENCH_SCHEDULER` names.

    Raises:
        BadInputError: It is no TLS address.
    """
    address = os.environ.get(SCHEDULER_VARIABLE)
    if not address:
        return None
    if not _ADDRESS.fullmatch(address):
        raise BadInputError.of(
            SCHEDULER_VARIABLE,
            rule="must be an address like tls://host:8786",
            got=address,
            hint="jobs run code, so they are only sent over an authenticated connection",
        )
    return Cluster(id=address, address=address, pid=0)


def start(workspace: Workspace) -> Cluster:
    """Start a cluster, or join the one that another process is starting, and wait until it can be reached.

    Raises:
        WorkspaceError: It ended before it listened; its log says why.
    """
    process = _spawn(workspace)
    deadline = time.monotonic() + _SECONDS_TO_START
    while (found := find(workspace)) is None:
        gone = process.poll() is not None and not lock.is_held(alive_lock(workspace))
        # One that found another cluster alive and left at once may leave us with neither: then look once more.
        if gone and process.returncode == 0:
            process = _spawn(workspace)
        elif gone or time.monotonic() > deadline:
            raise WorkspaceError(f"The job cluster did not start; its log {log_file(workspace)} says why.")
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    return found


def stop_cluster(workspace: Workspace | None = None) -> bool:
    """End the workspace's own cluster and every job that it runs; they can be resumed.

    Returns:
        False where there was none.

    Raises:
        BadInputError: This process is a viewer's.
        WorkspaceError: It does not end.
    """
    require_operator()
    workspace = Workspace.of(workspace)
    if not lock.is_held(alive_lock(workspace)):
        return False
    _wait(lambda: written(workspace) is not None or not lock.is_held(alive_lock(workspace)))
    for number in (signal.SIGTERM, signal.SIGKILL):
        found = find(workspace)
        # It is no stranger's process: the lock says that who wrote the file still lives.
        if found is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(found.pid, number)
        if _wait(lambda: not lock.is_held(alive_lock(workspace))):
            return True
    raise WorkspaceError(f"The job cluster of {workspace.home} did not end; its log is {log_file(workspace)}.")


def is_alive(workspace: Workspace, cluster_id: str) -> bool:
    """Say whether the cluster that took a job is still there; one that is not ours is believed to be."""
    if "://" in cluster_id:
        return True
    facts = written(workspace)
    return lock.is_held(alive_lock(workspace)) and (facts is None or facts.id == cluster_id)


def touch(workspace: Workspace) -> None:
    """Tell the cluster that somebody is here: its idle time starts anew."""
    with writing(door_lock(workspace)):
        door_lock(workspace).parent.mkdir(parents=True, exist_ok=True)
        door_lock(workspace).touch(mode=0o600)


def facts_file(workspace: Workspace) -> Path:
    """Where the cluster says who it is."""
    return workspace.home / "cluster.json"


def log_file(workspace: Workspace) -> Path:
    """What the cluster process and its workers print."""
    return workspace.home / "cluster" / "cluster.log"


def alive_lock(workspace: Workspace) -> Path:
    """Held by the cluster process while it lives."""
    return workspace.home / "cluster" / "alive"


def door_lock(workspace: Workspace) -> Path:
    """Held shared by whoever talks to the cluster."""
    return workspace.home / "cluster" / "door"


def _wait(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + _SECONDS_TO_STOP
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    return met


def _spawn(workspace: Workspace) -> subprocess.Popen[bytes]:
    log = log_file(workspace)
    with writing(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        log.parent.chmod(0o700)
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    # A session of its own: Ctrl-C in the terminal and the end of the kernel do not reach it.
    try:
        process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "workbench.jobs.daemon", str(workspace.home)],
            stdin=subprocess.DEVNULL, stdout=descriptor, stderr=descriptor,
            env=_environment(), cwd=log.parent, start_new_session=True,
        )  # fmt: skip
    finally:
        os.close(descriptor)
    _started[:] = [*(earlier for earlier in _started if earlier.poll() is None), process]
    return process


# Kept so that Python does not warn of a process that outlives its handle, as this one is meant to; one that has
# ended is waited for when the next is started.
_started: list[subprocess.Popen[bytes]] = []


def _environment() -> dict[str, str]:
    # Without bytecode TensorFlow takes three times as long to import, at every start.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {"DASK_LOGGING__DISTRIBUTED": "warning", **environment}
