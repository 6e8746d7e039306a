"""A child that does not outlive its parent, however that ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1


def end_with(parent: int) -> None:
    """Make this process end when its parent does, kill -9 included.

    Two ways, since each has a hole: the kernel's signal comes when the *thread* that started us ends (so it must live
    as long as its process) and exists on Linux only; the pipe on standard input is held open by whatever the parent
    forks.

    Args:
        parent: The parent's process id.
    """
    die_with(parent)
    threading.Thread(target=_until_closed, name="parent-watch", daemon=True).start()


def die_with(parent: int) -> None:
    """Have the kernel end this process with the thread that started it, where the kernel can."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before we asked to be told
            os._exit(0)


def _until_closed() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(0)


if __name__ == "__main__":  # PARENT_PID COMMAND…: be that command, and end with the parent
    die_with(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - that is what it is for
