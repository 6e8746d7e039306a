"""Hand a run to the cluster. Only strings travel: the run's folder and which attempt it is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from workbench.core.errors import WorkspaceError
from workbench.core.events import EventWriter
from workbench.jobs import cluster, lock, tls
from workbench.jobs.execute import execute
from workbench.jobs.state import workspace_of

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.workspace import Workspace

_SECONDS_TO_PLACE = 60.0
_SECONDS_TO_CONNECT = 5.0
_SECONDS_BETWEEN_TRIES = 0.05


def place(folder: Path, attempt: int) -> None:
    """Send one attempt to the workspace's cluster, which is started if need be, and write its `queued` event.

    The caller holds the run's lease meanwhile, so that the job cannot begin before it is said to be queued.

    Raises:
        WorkspaceError: No cluster could be started or reached.
    """
    workspace = workspace_of(folder)
    deadline = time.monotonic() + _SECONDS_TO_PLACE
    while True:
        try:
            taken_by = _try(workspace, folder, attempt)
        except OSError as error:  # Dask's connection errors are all of them
            if cluster.external() is not None or time.monotonic() > deadline:
                raise _unreachable(workspace, error) from error
            time.sleep(_SECONDS_BETWEEN_TRIES)
            continue
        if taken_by is not None:
            break
        cluster.start(workspace)
    events = EventWriter(folder)
    events.emit("state", state="queued", attempt=attempt, cluster=taken_by.id)
    events.close()


def _unreachable(workspace: Workspace, error: OSError) -> WorkspaceError:
    elsewhere = cluster.external()
    if elsewhere is not None:
        return WorkspaceError(
            f"{cluster.SCHEDULER_VARIABLE} must name a scheduler that answers, got {elsewhere.address} ({error}); "
            "start it, or unset the variable to use a cluster of this machine."
        )
    return WorkspaceError(
        f"The job cluster of {workspace.home} cannot be reached ({error}); "
        f"its log {cluster.log_file(workspace)} may say why."
    )


def _try(workspace: Workspace, folder: Path, attempt: int) -> cluster.Cluster | None:
    """Send it through the open door; None where no cluster is there."""
    with lock.locked(cluster.door_lock(workspace), shared=True):
        found = cluster.find(workspace)
        if found is not None:
            cluster.touch(workspace)
            _send(found, workspace, folder, attempt)
        return found


def _send(to: cluster.Cluster, workspace: Workspace, folder: Path, attempt: int) -> None:
    from distributed import Client, fire_and_forget

    # A client of its own for 25 ms: no heartbeat, no thread and no open socket stay behind in the kernel.
    with Client(
        to.address, security=tls.security(workspace), set_as_default=False, timeout=_SECONDS_TO_CONNECT
    ) as client:
        key = f"{folder.name}-{attempt}"
        fire_and_forget(client.submit(execute, str(folder), attempt, key=key, pure=False))
        # The messages went out in order; one answer that knows the key proves that the scheduler has them.
        deadline = time.monotonic() + _SECONDS_TO_CONNECT
        while client.sync(client.scheduler.get_task_status, keys=[key])[key] is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{to.address} did not take the job")
            time.sleep(0.001)
