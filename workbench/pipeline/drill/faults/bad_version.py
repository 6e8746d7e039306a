"""A new version that answers surely and wrongly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.monitor.alarms import Rule
from workbench.pipeline.drill.faults.base import Fault
from workbench.pipeline.drill.spoiled import with_mixed_classes

if TYPE_CHECKING:
    from workbench.core.records.monitor import AlarmEvent
    from workbench.pipeline.drill.scene import Scene


class BadVersion(Fault):
    """Somebody lets a version through whose classes are mixed up: no error, no delay, only wrong answers."""

    title = "a version that answers wrongly"
    lesson = (
        "Nothing but labels notices it: the server is well and the answers are sure. A gate before `stable` would have "
        "refused it; here somebody overrode it, and the store's history says who."
    )

    def rules(self, scene: Scene) -> tuple[Rule, ...]:
        """Return a limit for accuracy, by late labels."""
        return (Rule(metric="accuracy", below=max(scene.accuracy - 0.15, 0.0)),)

    def cause(self, scene: Scene) -> str:
        """Publish it past its gate."""
        version = scene.publish_past_gate(with_mixed_classes(scene.artifact, scene.folder))
        return f"Version {version} is published past its gate and answers everybody."

    def react(self, scene: Scene, alarm: AlarmEvent) -> str:
        """Roll back."""
        return scene.roll_back(alarm)

    def is_over(self, scene: Scene) -> bool:
        """Tell whether answers are right again."""
        return scene.answers_well()
