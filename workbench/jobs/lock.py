"""Advisory locks on files: the kernel frees them when their holder dies, however it dies.

An `flock` belongs to the open file, not to the process: a descriptor that is handed to a child keeps the lock
until both have closed it. The lease of a run is handed over that way.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from typing import TYPE_CHECKING

from workbench.core.errors import WorkspaceError
from workbench.core.workspace import writing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SECONDS_BETWEEN_TRIES = 0.005


def acquire(path: Path, *, shared: bool = False, timeout: float = 0.0) -> int | None:
    """Take a lock, trying for `timeout` seconds (a reader that probes it holds it for microseconds).

    Returns:
        The descriptor that holds it until it is closed, or None where somebody else kept it.

    Raises:
        WorkspaceError: The file cannot be made, or its folder is gone.
    """
    with writing(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + timeout
    while not _try(descriptor, shared=shared):
        if time.monotonic() >= deadline:
            os.close(descriptor)
            return None
        time.sleep(_SECONDS_BETWEEN_TRIES)
    return descriptor


def release(descriptor: int) -> None:
    """Give a lock back, also where a process forked meanwhile has inherited the descriptor unasked."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


@contextlib.contextmanager
def locked(path: Path, *, shared: bool = False, timeout: float = 30.0) -> Iterator[None]:
    """Hold a lock for a block; its folder is made if needed.

    Raises:
        WorkspaceError: Another process kept it for longer than `timeout` seconds, or the disk refused it.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = acquire(path, shared=shared, timeout=timeout)
    if descriptor is None:
        raise WorkspaceError(
            f"{path} has been locked by another process for {timeout:g} s; end that process and try again."
        )
    try:
        yield
    finally:
        release(descriptor)


def is_held(path: Path) -> bool:
    """Say whether somebody holds a lock exclusively; a file that is not there is not locked."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _try(descriptor, shared=True)
    finally:
        os.close(descriptor)


def _try(descriptor: int, *, shared: bool) -> bool:
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
