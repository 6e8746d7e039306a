"""A new version that answers rightly and late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.pipeline.drill.faults.base import Fault
from workbench.pipeline.drill.spoiled import with_slow_answers

if TYPE_CHECKING:
    from workbench.core.records.monitor import AlarmEvent
    from workbench.monitor.alarms import Rule
    from workbench.pipeline.drill.scene import Scene


class SlowModel(Fault):
    """A version whose answers are right and take many times as long."""

    title = "a version that answers late"
    lesson = (
        "Accuracy is as it was, so a gate that measures no latency lets it through; a limit for the 95th percentile "
        "notices it within seconds, and the version before is still there to go back to."
    )

    def rules(self, scene: Scene) -> tuple[Rule, ...]:
        """Return a limit for latency."""
        return (scene.lateness(),)

    def cause(self, scene: Scene) -> str:
        """Publish it past its gate."""
        version = scene.publish_past_gate(with_slow_answers(scene.artifact, scene.folder))
        return f"Version {version} is published past its gate; it answers rightly and late."

    def react(self, scene: Scene, alarm: AlarmEvent) -> str:
        """Roll back."""
        return scene.roll_back(alarm)

    def is_over(self, scene: Scene) -> bool:
        """Tell whether answers come as before."""
        return scene.answers_fast()
