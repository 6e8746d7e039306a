"""Drive a search: propose, refuse what is too large, train, end what is poor, judge by the validation split."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from workbench.core.artifact import Artifact
from workbench.core.errors import JobCancelledError, JobLostError, WorkbenchError, WorkspaceError
from workbench.core.records import PointSeconds, SweepPoint
from workbench.core.workspace import digest
from workbench.evaluate.score import evaluate
from workbench.evaluate.variant import measure_variant
from workbench.jobs import submit
from workbench.sweep import cache
from workbench.sweep.plan import Base, Plan
from workbench.sweep.pool import work_off
from workbench.sweep.training_proposer import TrainingProposer
from workbench.sweep.training_watch import PoorTrialError, Watch
from workbench.sweep.waiting import seconds_of, take_up
from workbench.train.answerable import KIND, STAGE
from workbench.train.search import candidate

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from workbench.core.records import Variant
    from workbench.datasets import Dataset
    from workbench.jobs import Job, StageContext
    from workbench.sweep.training_search import TrainingSearch
    from workbench.train.settings import TrainSettings

_PROPOSALS_A_TRIAL = 20
_TIMES_LOST = 3
_FORGOTTEN = "ended early or failed; the reason was lost with points.jsonl, which was damaged"


@dataclass
class TrainingDriver:
    """One process' turn at a search.

    Attributes:
        search: The search.
        context: The run that this turn is.
        workers: Trials under way at once.
        proposer: Who proposes.
        data: What is learnt; of its test split nothing is read before the end.
        judged: Its test split is the validation split.
        points: What is finished, by key.
    """

    search: TrainingSearch
    context: StageContext
    workers: int
    proposer: TrainingProposer
    data: Dataset
    judged: Dataset
    points: dict[str, SweepPoint]
    _jobs: list[Job] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _began: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, search: TrainingSearch, context: StageContext, workers: int) -> TrainingDriver:
        """Open a search for a turn."""
        proposer = TrainingProposer.open(search.folder, search.tuning, search.axes)
        return cls(search, context, workers, proposer, search.whole_data(), search.data(), search.folder.points())

    def run(self) -> str:
        """Try until all trials are begun and ended; returns `done` or `paused`.

        Raises:
            JobCancelledError: It was cancelled.
            WorkspaceError: The disk refused a point.
        """
        self._take_back()
        work_off(self.workers, self._begin, self._ended, look=self._obey, cancel=self._cancel)
        if self.search.folder.wished("pause"):
            return "paused"
        self._look_at_the_test_split()
        return "done"

    def _take_back(self) -> None:
        """Make again the points of trials that were told and are lost since; nothing is trained for them."""
        for trial, values in self.proposer.told():
            plan = self._plan(values)
            if plan.key in self.points:
                continue
            training, refusal = self._judged(values)
            if training is not None and trial.values:
                self._keep(self._try(trial, plan, training))
            else:
                self._keep(SweepPoint(**plan.facts, state="failed", reason=refusal or _FORGOTTEN))

    def _begin(self, under_way: int) -> tuple[Callable[[], SweepPoint], Any] | None:
        if under_way >= self.proposer.left or (found := self._next()) is None:
            return None
        return partial(self._try, *found), found[0]

    def _next(self) -> tuple[Any, Plan, TrainSettings] | None:
        """Return a proposal that may be trained; None where there is none, or somebody wants a rest."""
        while not self.search.folder.wished("pause"):
            self._obey()
            if self.proposer.asked >= _PROPOSALS_A_TRIAL * self.proposer.trials:
                self.context.emit("note", text="Nearly all proposals were refused; widen the budget or the space.")
                return None
            trial, values = self.proposer.ask()
            plan = self._plan(values)
            training, refusal = self._judged(values)
            if training is not None:
                return trial, plan, training
            self._keep(SweepPoint(**plan.facts, state="failed", reason=refusal))
            self.proposer.tell(trial, None, counts=False)
        return None

    def _judged(self, values: dict[str, Any]) -> tuple[TrainSettings | None, str]:
        """Return the training that a proposal means, or why it is refused untrained."""
        try:
            training = candidate(self.data, self.search.tuning, self.search.train, values)
            refusal = self.search.tuning.budget.refusal(training, self.data)
        except WorkbenchError as error:
            return None, str(error)
        return (None, refusal) if refusal else (training, "")

    def _plan(self, values: dict[str, Any]) -> Plan:
        settings = self.search.tuning
        train = {
            **self.search.train, **values, "architecture": settings.architecture, "seed": settings.seed,
            "validation_fraction": settings.validation_fraction,
        }  # fmt: skip
        base = Base.of(self.data.spec, None, runs=0, share_trajectory=False)
        question = {**base.question, "search": train, "pruner": settings.pruner}
        label = ", ".join(f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
                          for name, value in values.items())  # fmt: skip
        key = digest(question)
        return Plan(
            key=key, configuration=key, label=label, values=values, seed=None, train=train, steps=(), deploy="onnx"
        )

    def _try(self, trial: Any, plan: Plan, training: TrainSettings) -> SweepPoint:
        known = self.points.get(plan.key) or cache.find(self.search.workspace, plan)
        if known is not None:
            return known
        try:
            return self._measured(plan, self._trained(trial, training))
        except (JobCancelledError, WorkspaceError):
            raise
        except WorkbenchError as error:
            return SweepPoint(**plan.facts, state="failed", reason=str(error))

    def _trained(self, trial: Any, training: TrainSettings) -> Job:
        job = submit(STAGE, training, kind=KIND, workspace=self.search.workspace)
        self._jobs.append(job)
        if self._stop.is_set():
            self._cancel()
        watched = job.state != "done"
        for left in reversed(range(_TIMES_LOST)):
            try:
                job.wait(on_event=Watch(trial) if watched else None)
                break
            except PoorTrialError:
                if job.begun_here:
                    job.cancel()
                raise
            except JobLostError:  # its worker was taken down; it goes on from its last epoch
                if not left:
                    raise
                take_up(job)
        return job

    def _measured(self, plan: Plan, job: Job) -> SweepPoint:
        began = time.monotonic()
        model = Artifact.load(job.value()["onnx"])
        variant = self._variant(plan.label, model, self.judged)
        point = SweepPoint(
            **plan.facts,
            state="done",
            variant=variant,
            sha256=model.sha256,
            made=(str(job.result), str(model.folder)),
            seconds=PointSeconds(
                train=seconds_of(job) if job.begun_here else 0.0, evaluate=time.monotonic() - began
            ),
        )  # fmt: skip
        cache.remember(self.search.workspace, point)
        return point

    def _variant(self, label: str, model: Artifact, data: Dataset) -> Variant:
        # There is no parent that accuracy could be lost against: the drop is counted from the model itself.
        itself = evaluate(model, data, workspace=self.search.workspace)
        return measure_variant(label, model, data, itself, timed=False, workspace=self.search.workspace)

    def _ended(self, future: Future[SweepPoint], trial: Any) -> None:
        point = future.result()
        self._keep(point)
        accuracy = point.variant.accuracy.value if point.variant is not None else None
        self.proposer.tell(trial, accuracy, counts=True)

    def _keep(self, point: SweepPoint) -> None:
        if point.key not in self.points:
            self.search.folder.append(point)
        self.points[point.key] = point
        self.context.emit("point", point=point.to_json())
        left, total = self.proposer.left, self.proposer.trials
        spent = time.monotonic() - self._began
        seconds = round(spent / max(1, total - left) * left, 1)
        self.context.emit("progress", done=total - left, total=total, label=point.label, seconds_left=seconds)

    def _look_at_the_test_split(self) -> None:
        known = self.search.tested()
        kept = [point for point in self.search.frontier() if isinstance(point, SweepPoint)]
        for point in kept:
            if point.key not in known and point.variant is not None:
                model = Artifact.load(point.variant.artifact).verify(point.sha256)
                known[point.key] = self._variant(point.label, model, self.data)
        self.search.keep_tested(known)

    def _obey(self) -> None:
        self.search.folder.obey(self.context.folder)

    def _cancel(self) -> None:
        self._stop.set()
        for job in self._jobs:
            if job.begun_here:
                job.cancel()
