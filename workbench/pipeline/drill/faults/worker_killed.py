"""A worker that is gone from one moment to the next."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from workbench.monitor.alarms import Rule
from workbench.pipeline.drill.faults.base import Fault

if TYPE_CHECKING:
    from workbench.pipeline.drill.scene import Scene


class WorkerKilled(Fault):
    """One of the processes that answer is killed, as the kernel kills one that takes too much memory."""

    title = "a worker is killed"
    lesson = (
        "Its supervisor replaces it by itself, and clients that ask again notice a moment's delay at most. It is worth "
        "an alarm all the same: what ends once by chance ends again by cause."
    )

    _workers = 0

    def rules(self, scene: Scene) -> tuple[Rule, ...]:
        """Return one that counts replaced workers."""
        del scene
        return (Rule(metric="restarts", above=0),)

    def cause(self, scene: Scene) -> str:
        """Kill one."""
        pids = [worker.pid for worker in scene.server.workers]
        self._workers = len(pids)
        os.kill(pids[0], signal.SIGKILL)
        return f"One of {len(pids)} workers (process {pids[0]}) is killed."

    def is_over(self, scene: Scene) -> bool:
        """Tell whether as many workers answer as before."""
        ready = [worker for worker in scene.server.workers if worker.state == "ready"]
        return len(ready) == self._workers and scene.answers_well()
