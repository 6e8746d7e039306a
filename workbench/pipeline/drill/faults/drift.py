"""Clients whose samples are no longer those that the model has learnt."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import numpy as np

from workbench.evaluate.gate import Gate
from workbench.monitor.alarms import Rule
from workbench.pipeline.drill.faults.base import Fault
from workbench.pipeline.hard_set import hard_set
from workbench.pipeline.retrain import retrain

if TYPE_CHECKING:
    from workbench.core.records.monitor import AlarmEvent
    from workbench.pipeline.drill.scene import Scene

_LABELLED = 150
_MOST_DROP = 0.05


class Drift(Fault):
    """Dark on light becomes light on dark, as after a camera was exchanged; somebody labels some of the new samples."""

    title = "inputs drift"
    lesson = (
        "No request fails and no answer is late: what tells is that samples look otherwise than in training, long "
        "before labels do. The way back is new data: the samples that somebody labelled are learnt beside the old "
        "ones, and the new version answers only because it passed the gate."
    )

    def rules(self, scene: Scene) -> tuple[Rule, ...]:
        """Return one that looks for drift."""
        del scene
        return (Rule(metric="drift", above=0),)

    def cause(self, scene: Scene) -> str:
        """Invert what clients send."""
        scene.traffic.change = lambda samples: np.float32(1) - samples
        return "Clients send their images inverted."

    def react(self, scene: Scene, alarm: AlarmEvent) -> str:
        """Label some samples, train anew, and let the new version answer if it passes."""
        kept = hard_set(f"drill-{secrets.token_hex(4)}", workspace=scene.workspace)
        samples = scene.traffic.change(scene.data.floats("test", slice(0, _LABELLED)))
        for sample, label in zip(samples, scene.data.y_test[:_LABELLED], strict=True):
            kept.add(sample, int(label), "drift")
        name = scene.server.name
        report = retrain(name, scene.data, kept, gate=Gate(max_drop=_MOST_DROP), workspace=scene.workspace)
        if report.published is None:
            return ""
        scene.server.rollout(report.published.version, percent=10, by="drill")
        scene.server.promote(alarm.words, by="drill")
        scene.traffic.forget()
        return (
            f"{_LABELLED} of the new samples are labelled and learnt; version {report.published.version} passed the "
            "gate and answers."
        )

    def is_over(self, scene: Scene) -> bool:
        """Tell whether answers are right again."""
        return scene.answers_well()
