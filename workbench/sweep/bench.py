"""Make and measure the pieces of a sweep: jobs for what needs TensorFlow, this process for the rest."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.compress.run import start_compression
from workbench.compress.trajectory import snapshots, start_trajectory
from workbench.convert.run import start_conversion
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, ParityError
from workbench.core.records import PointSeconds, SweepPoint
from workbench.evaluate.latency import measure_noise
from workbench.evaluate.score import evaluate
from workbench.evaluate.variant import TIMED_SAMPLES, measure_variant
from workbench.jobs import jobs, submit
from workbench.sweep.waiting import Waiting
from workbench.train.fit import STAGE as TRAIN_STAGE
from workbench.train.fit import train_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.core.artifact import Format
    from workbench.core.records import Evaluation
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset
    from workbench.jobs import Job
    from workbench.sweep.graph import Node
    from workbench.sweep.plan import Plan
    from workbench.train.settings import TrainSettings

_RUNS_LOOKED_AT = 50


@dataclass
class Bench:
    """What every point is made of and measured against.

    Attributes:
        data: What is learnt and tested.
        parent: The model that is compressed; None where it is trained for each point.
        workspace: Where jobs run.
        runs: Timed calls.
        waiting: The jobs.
    """

    data: Dataset
    parent: Artifact | None
    workspace: Workspace
    runs: int
    waiting: Waiting = field(default_factory=Waiting)
    _baselines: dict[str, Evaluation] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def make(self, node: Node) -> None:
        """Do one piece; what it needs has been made.

        Raises:
            WorkbenchError: It cannot be done.
        """
        if node.kind == "snapshot":
            node.artifact = snapshot(node)
            return
        try:
            job = self._settled(node, node.before)
        except (BadInputError, ParityError):
            if not node.quantises or node.before is None:
                raise
            # TensorFlow's own converter can do what LiteRT's quantizer cannot, but not with a file of TFLite.
            job = self._settled(node, node.before.before)
        take(node, job)

    def _settled(self, node: Node, before: Node | None) -> Job:
        job = self.begin(node, self.parent if before is None else before.artifact)
        node.seconds += self.waiting.settle(job)
        return job

    def training(self, train: dict[str, Any]) -> TrainSettings:
        """Return the whole settings of a point's training.

        Raises:
            BadInputError: They break a rule, or do not fit together.
        """
        return train_settings(self.data, **train)

    def baseline(self, artifact: Artifact) -> Evaluation:
        """Evaluate the model that drops are counted from, once."""
        with self._lock:
            if artifact.sha256 not in self._baselines:
                self._baselines[artifact.sha256] = evaluate(artifact, self.data, workspace=self.workspace)
            return self._baselines[artifact.sha256]

    def measure(self, plan: Plan, node: Node) -> SweepPoint:
        """Measure what was made for a point, all but its latency."""
        path = node.path()
        parent = path[0].artifact if path[0].kind == "train" else self.parent
        assert node.artifact is not None
        assert parent is not None
        baseline = self.baseline(parent)
        began = time.monotonic()
        variant = measure_variant(
            plan.label, node.artifact, self.data, baseline, timed=False, workspace=self.workspace
        )  # fmt: skip
        evaluated = time.monotonic() - began
        return SweepPoint(
            **plan.facts,
            state="made",
            variant=variant,
            sha256=node.artifact.sha256,
            made=tuple(str(each.artifact.folder) for each in path if each.artifact is not None),
            seconds=PointSeconds(
                train=_taken([each for each in path if each.trains]),
                convert=_taken([each for each in path if not each.trains]),
                evaluate=evaluated,
            ),
        )

    def timed(self, point: SweepPoint, circumstances: str) -> SweepPoint:
        """Measure a point's latency; nothing else of the sweep runs meanwhile."""
        assert point.variant is not None
        began = time.monotonic()
        artifact = Artifact.load(point.variant.artifact).verify(point.sha256)
        samples = self.data.floats("test", slice(0, TIMED_SAMPLES))
        latency, noise = measure_noise(artifact, samples, runs=self.runs)
        spent = point.seconds.evaluate + time.monotonic() - began
        return point.model_copy(
            update={
                "state": "done",
                "variant": point.variant.model_copy(update={"latency": latency}),
                "noise": noise,
                "timing": circumstances,
                "seconds": point.seconds.model_copy(update={"evaluate": spent}),
            }
        )

    def circumstances(self) -> str:
        """Say under what conditions latencies are measured now."""
        running = sum(job.state == "running" and job.kind != "sweep" for job in jobs(self.workspace)[:_RUNS_LOOKED_AT])
        others = "no job of the workspace ran" if not running else f"{running} other job(s) of the workspace ran"
        load = f", load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
        return f"after the sweep's own jobs had ended, one model at a time against its copy, one thread; {others}{load}"

    def begin(self, node: Node, source: Artifact | None) -> Job:
        """Ask for the job of a piece; one that answers the same is given back.

        Raises:
            WorkbenchError: It cannot be asked.
        """
        if node.kind == "train":
            assert node.plan.train is not None
            return submit(TRAIN_STAGE, self.training(node.plan.train), kind="train", workspace=self.workspace)
        assert source is not None
        if node.kind == "deploy":
            deploy: Format = "onnx" if node.plan.deploy == "onnx" else "tflite"
            return start_conversion(source, deploy, dataset=self.data, workspace=self.workspace)
        assert node.step is not None
        if node.kind == "trajectory":
            pruning: Any = node.step
            return start_trajectory(source, node.plan.along, pruning, self.data, workspace=self.workspace)
        return start_compression(source, node.step, self.data, workspace=self.workspace)


def take(node: Node, job: Job) -> None:
    """Note what an ended job made."""
    if node.kind == "trajectory":
        node.snapshots = snapshots(job)
    else:
        node.artifact = Artifact.load(job.result)


def snapshot(node: Node) -> Artifact:
    """Return a moment of the trajectory before it."""
    assert node.before is not None
    pruning: Any = node.step
    return node.before.snapshots[pruning.sparsity]


def _taken(nodes: Sequence[Node]) -> float:
    """Take over what pieces cost; the next point that needs them pays nothing."""
    total = sum(node.seconds for node in nodes)
    for node in nodes:
        node.seconds = 0.0
    return total
