"""A disk that takes nothing more."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

from workbench.monitor.alarms import Rule
from workbench.pipeline.drill.faults.base import Fault

if TYPE_CHECKING:
    from workbench.core.records.monitor import AlarmEvent
    from workbench.pipeline.drill.scene import Scene

_NO_ROOM = 1  # bytes that a file of theirs may have


class DiskFull(Fault):
    """The workers cannot write any more, as on a full disk: their files may not grow (`RLIMIT_FSIZE`)."""

    title = "the disk is full"
    lesson = (
        "Serving does not hang on the disk: answers go on, what cannot be noted is counted and told, and the request "
        "log goes on by itself when there is room. Drift and accuracy are blind meanwhile."
    )

    _unlogged: int | None = None

    def __init__(self) -> None:
        self._room: dict[int, tuple[int, int]] = {}  # limits of before, by process

    def rules(self, scene: Scene) -> tuple[Rule, ...]:
        """Return one that counts what the request log lost."""
        del scene
        return (Rule(metric="unlogged", above=0),)

    def cause(self, scene: Scene) -> str:
        """Leave the workers no room."""
        pids = [worker.pid for worker in scene.server.workers]
        self._room = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in pids}
        for pid, (_, hard) in self._room.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (_NO_ROOM, hard))
        return "There is no room on the disk for the request log any more."

    def react(self, scene: Scene, alarm: AlarmEvent) -> str:
        """Make room."""
        del alarm
        self.clear_up(scene)
        self._unlogged = scene.server.stats().unlogged
        scene.traffic.forget()
        return "Room is made."

    def is_over(self, scene: Scene) -> bool:
        """Tell whether answers come as before and all of them are noted."""
        lost = scene.server.stats().unlogged
        before, self._unlogged = self._unlogged, lost
        return lost == before and scene.answers_well()

    def clear_up(self, scene: Scene) -> None:
        """Give back the room."""
        room, self._room = self._room, {}
        alive = {worker.pid for worker in scene.server.workers}
        for pid, limits in room.items():
            if pid in alive:
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
