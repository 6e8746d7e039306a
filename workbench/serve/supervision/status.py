"""How a worker stands, as it is told to others."""

from __future__ import annotations

from typing import Literal

from workbench.core.records import Record

WorkerState = Literal["starting", "ready", "draining", "failed"]


class WorkerStatus(Record):
    """How one worker stands.

    Attributes:
        pid: Its process id; 0 where there is none.
        state: `starting`, `ready`, `draining`, or `failed` while it waits for its next try.
        restarts: Times it was replaced.
        error: Why the last one ended, one sentence; empty where none did.
    """

    pid: int
    state: WorkerState
    restarts: int = 0
    error: str = ""
