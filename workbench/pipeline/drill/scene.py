"""What a fault finds: a server, clients that ask it, and the clock."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.core.records import Override
from workbench.core.records.drill import DrillMoment
from workbench.monitor.alarms import Rule
from workbench.serve.store.labels import STABLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.core.artifact import Artifact
    from workbench.core.records.drill import MomentKind
    from workbench.core.records.monitor import AlarmEvent
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset
    from workbench.pipeline.drill.traffic import Traffic
    from workbench.serve.sandbox import Sandbox


class Timeline:
    """What happened, and when."""

    def __init__(self, tell: Callable[[DrillMoment], None]) -> None:
        """Begin now.

        Args:
            tell: Called with each moment.
        """
        self.moments: list[DrillMoment] = []
        self._tell = tell
        self._begun = time.monotonic()

    def add(self, kind: MomentKind, words: str) -> DrillMoment:
        """Note what has just happened."""
        moment = DrillMoment(seconds=round(time.monotonic() - self._begun, 3), kind=kind, words=words)
        self.moments.append(moment)
        self._tell(moment)
        return moment

    def between(self, first: MomentKind, then: MomentKind) -> float | None:
        """Return the seconds from one kind of moment to the next of another; None where one of them never came."""
        kinds = [moment.kind for moment in self.moments]
        if first not in kinds or then not in kinds[kinds.index(first) :]:
            return None
        begun = kinds.index(first)
        return round(self.moments[kinds.index(then, begun)].seconds - self.moments[begun].seconds, 3)


@dataclass
class Scene:
    """Where a drill takes place.

    Attributes:
        server: It serves `artifact`, which the store calls stable.
        artifact: An ONNX model.
        data: What it was trained on.
        traffic: Ordinary clients.
        timeline: What happened.
        workspace: Where all of it is.
        folder: For files of the fault's.
        accuracy: Of the clients' answers before the fault.
        usual_ms: 95 of a hundred answers were not slower before the fault.
    """

    server: Sandbox
    artifact: Artifact
    data: Dataset
    traffic: Traffic
    timeline: Timeline
    workspace: Workspace
    folder: Path
    accuracy: float = 0.0
    usual_ms: float = 0.0

    def publish_past_gate(self, artifact: Artifact) -> int:
        """Let a version answer everybody that passed no gate, and return its number."""
        override = Override(who="drill", why="to see who notices")
        return self.server.publish(artifact, label=STABLE, override=override).loaded[0][1]

    def roll_back(self, alarm: AlarmEvent) -> str:
        """Let the version before answer again, and return what was done."""
        version = self.server.rollback(why=alarm.words, by="drill")
        self.traffic.forget()
        return f"Rolled back to version {version}."

    def lateness(self) -> Rule:
        """Return the rule that notices answers which come much later than usual."""
        return Rule(metric="p95_ms", above=3 * self.usual_ms + 5, for_windows=2)

    def answers_well(self) -> bool:
        """Tell whether clients are answered as rightly as before the fault, as far as the last answers tell."""
        return self.traffic.wait(50, 0.0) and self.traffic.accuracy >= self.accuracy - 0.1

    def answers_fast(self) -> bool:
        """Tell whether clients are answered about as fast as before the fault."""
        return self.traffic.wait(50, 0.0) and self.traffic.slowest_ms <= 3 * self.usual_ms + 10
