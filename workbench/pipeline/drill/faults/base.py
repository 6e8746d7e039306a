"""What every fault is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from workbench.core.plugins import Registry

if TYPE_CHECKING:
    from workbench.core.records.monitor import AlarmEvent
    from workbench.monitor.alarms import Rule
    from workbench.pipeline.drill.scene import Scene


class Fault(ABC):
    """Something that goes wrong, how it is noticed, and what is done about it."""

    title: ClassVar[str]
    lesson: ClassVar[str]

    @abstractmethod
    def rules(self, scene: Scene) -> tuple[Rule, ...]:
        """Return what notices it."""

    @abstractmethod
    def cause(self, scene: Scene) -> str:
        """Let it happen; return what happened, one sentence."""

    def react(self, scene: Scene, alarm: AlarmEvent) -> str:
        """Do something about it, and return what, once every answer shows it; empty where the server helps itself."""
        del scene, alarm
        return ""

    @abstractmethod
    def is_over(self, scene: Scene) -> bool:
        """Tell whether clients are served as before."""

    def clear_up(self, scene: Scene) -> None:
        """Take away what is left of it."""
        del scene


faults: Registry[Fault] = Registry("faults", "workbench.pipeline.drill.faults", Fault)  # type: ignore[type-abstract]
"""All faults that a drill can cause."""
