"""One client that asks as much as all others, many times over."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from workbench.core.errors import WorkbenchError
from workbench.pipeline.drill.faults.base import Fault

if TYPE_CHECKING:
    from workbench.core.records.monitor import AlarmEvent
    from workbench.monitor.alarms import Rule
    from workbench.pipeline.drill.scene import Scene

_CONNECTIONS = 256
_SECONDS = 5.0


class Flood(Fault):
    """A client with hundreds of connections asks without pause for some seconds."""

    title = "a flood of requests"
    lesson = (
        "A queue that is bounded keeps the others' wait bounded: they are answered, later than usual, and who is "
        "refused is told when to ask again. When the flood is over, nothing is left of it."
    )

    _thread: threading.Thread | None = None

    def rules(self, scene: Scene) -> tuple[Rule, ...]:
        """Return a limit for latency."""
        return (scene.lateness(),)

    def cause(self, scene: Scene) -> str:
        """Begin it."""
        self._thread = threading.Thread(target=self._ask, args=(scene,), name="drill-flood")
        self._thread.start()
        return f"A client with {_CONNECTIONS} connections asks without pause for {_SECONDS:g} s."

    def react(self, scene: Scene, alarm: AlarmEvent) -> str:
        """Wait: the limits hold, and the flood ends."""
        del alarm
        scene.traffic.forget()
        return ""

    def is_over(self, scene: Scene) -> bool:
        """Tell whether it has ended and answers come as before."""
        if self._thread is not None and self._thread.is_alive():
            scene.traffic.forget()
            return False
        return scene.answers_fast()

    def clear_up(self, scene: Scene) -> None:
        """Wait for its end."""
        del scene
        if self._thread is not None:
            self._thread.join()

    def _ask(self, scene: Scene) -> None:
        from workbench.serve.load import load

        try:
            load(
                scene.server.url, scene.server.name, scene.data.floats("test", slice(0, 16)), connections=_CONNECTIONS,
                seconds=_SECONDS, warmup_seconds=0.0,
            )  # fmt: skip
        except WorkbenchError:
            return  # it got no answer at all, and is none of those that count
