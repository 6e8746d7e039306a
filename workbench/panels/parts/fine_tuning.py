"""A point of the sliders made for good: one job a step, then the result is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.core.artifact import Artifact
from workbench.core.language import N_, _
from workbench.jobs.state import UNFINISHED
from workbench.panels.base import stack
from workbench.panels.parts.tuned_points import TunedPoint, keep_point
from workbench.panels.session import give_way
from workbench.train.following import Following
from workbench.widgets.action_bar import ActionBar
from workbench.widgets.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.compress.base import Method
    from workbench.core.events import Event
    from workbench.core.records import Evaluation, Sizes
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset
    from workbench.jobs import Job
    from workbench.panels.base import Panel
    from workbench.panels.parts.compression_plan import CompressionPlan

_IDLE = N_("The sliders show what happens without training; fine-tuning wins most of the loss back.")
_STEPS = {
    "magnitude_pruning": N_("pruning"),
    "weight_clustering": N_("sharing of values"),
    "post_training": N_("quantization"),
}


@dataclass(frozen=True)
class Made:
    """A point that was fine-tuned.

    Attributes:
        label: What people call it.
        plan: What was asked for.
        model: What it was made from.
        artifact: What the last step made.
        answering: The same as ONNX or TFLite, which answers in this process.
        before: `model`, likewise.
        evaluation: On the test split.
        sizes: Of `answering`.
        data: What it was measured on.
    """

    label: str
    plan: CompressionPlan
    model: Artifact
    artifact: Artifact
    answering: Artifact
    before: Artifact
    evaluation: Evaluation
    sizes: Sizes
    data: Dataset


@dataclass(frozen=True)
class Order:
    """What is asked for: a model, the methods in their order, the data, what to call the result, and what was set."""

    model: Artifact
    methods: Sequence[Method]
    data: Dataset
    label: str
    plan: CompressionPlan


class FineTuning:
    """Begins each step when the one before it is done, and says how far it is.

    Attributes:
        actions: Buttons `tune` and `cancel`.
        busy: Whether something is under way.
    """

    def __init__(self, panel: Panel, made: Callable[[Made], None]) -> None:
        """Build it at rest.

        Args:
            panel: Whose threads, jobs and error strip it uses.
            made: Gets what was made, under the lock.
        """
        self._panel, self._made = panel, made
        self._job: Job | None = None
        self.busy, self._allowed = False, False
        self.actions = ActionBar(
            label=_("Fine-tuning"),
            actions=[
                {"name": "tune", "label": _("Fine-tune and measure"), "primary": True, "enabled": False,
                 "tooltip": _("Train this point for good, and measure the result on all test samples")},
                {"name": "cancel", "label": _("Cancel"), "shown": False, "tooltip": _("End the run")},
            ],
        )  # fmt: skip
        self.actions.on_press("cancel", panel.act(self.cancel))
        self._progress = Progress(label=_("Fine-tuning"), text=_(_IDLE))
        self.widget = stack(self.actions, self._progress)

    def allow(self, allowed: bool) -> None:  # noqa: FBT001 - the one thing it is about
        """Say whether there is anything to fine-tune."""
        self._allowed = allowed
        self._turn()

    def start(self, order: Order) -> None:
        """Begin; returns at once."""
        self.busy = True
        self._turn()
        self._say(_("Asking for a worker"), share=-1.0, active=True)
        self._step(order, order.model, 0)

    def cancel(self) -> None:
        """End the run that goes on."""
        if self._job is not None:
            self._job.cancel()

    def _step(self, order: Order, artifact: Artifact, number: int) -> None:
        from workbench.compress.run import start_compression

        workspace = self._panel.session.workspace

        def ask() -> Job:
            job = start_compression(artifact, order.methods[number], order.data, workspace=workspace)
            give_way(workspace)
            return job

        self._panel.in_background(ask, lambda job: self._follow(order, job, number), self._failed)

    def _follow(self, order: Order, job: Job, number: int) -> None:
        self._job, known = job, Following()

        def news(events: list[Event], state: str) -> None:
            known.feed(events)
            if state == "done":
                self._done(order, Artifact.load(job.result), number)
            elif state in UNFINISHED:
                self._ended(job, state)
            else:
                self._tell(order, known, number)

        self._panel.follow(job, news)

    def _tell(self, order: Order, known: Following, number: int) -> None:
        total = len(order.methods)
        name = order.methods[number].name
        text = _("Step {n} of {total}: {step}").format(n=number + 1, total=total, step=_(_STEPS.get(name, name)))
        share = -1.0 if known.share is None else (number + known.share) / total
        self._say(text, share=share, active=True, left=known.seconds_left)

    def _done(self, order: Order, artifact: Artifact, number: int) -> None:
        if number + 1 < len(order.methods):
            self._step(order, artifact, number + 1)
            return
        self._job = None
        self._say(_("Measuring on all test samples"), share=-1.0, active=True)
        workspace = self._panel.session.workspace
        self._panel.in_background(lambda: _measured(order, artifact, workspace), self._finish, self._failed)

    def _finish(self, made: Made) -> None:
        self.busy = False
        self._turn()
        accuracy, sizes = made.evaluation.accuracy, made.sizes
        text = _("{label}: {accuracy} % [{low}, {high}] on all {n} test samples, {size} kB gzip'd").format(
            label=made.label, accuracy=f"{100 * accuracy.value:.2f}", low=f"{100 * accuracy.low:.1f}",
            high=f"{100 * accuracy.high:.1f}", n=f"{accuracy.total:,}", size=f"{sizes.gzip / 1000:.1f}",
        )  # fmt: skip
        self._say(text, share=1.0, tone="good")
        self._made(made)

    def _ended(self, job: Job, state: str) -> None:
        self._job, self.busy = None, False
        self._turn()
        words = {
            "failed": _("Failed"),
            "cancelled": _("Cancelled"),
            "paused": _("Paused"),
            "lost": _("The process of this run is gone"),
        }
        self._say(words[state], tone="bad" if state == "failed" else "warn")
        if state == "failed":
            job.value()  # raises what went wrong

    def _failed(self, error: BaseException) -> None:
        self._job, self.busy = None, False
        self._turn()
        self._say(_("Not finished"), tone="bad")
        self._panel.fail(error)

    def _turn(self) -> None:
        with self.actions.hold_sync():
            self.actions.change("tune", enabled=self._allowed and not self.busy)
            self.actions.change("cancel", shown=self.busy)

    def _say(self, text: str, **looks: Any) -> None:
        with self._progress.hold_sync():
            self._progress.text = text
            self._progress.share, self._progress.active = looks.get("share", 0.0), looks.get("active", False)
            self._progress.tone, self._progress.seconds_left = looks.get("tone", "accent"), looks.get("left")


def answering(artifact: Artifact, data: Dataset, workspace: Workspace) -> Artifact:
    """Return a model that answers in this process: itself, or its ONNX conversion, which is a job and kept."""
    from workbench.convert.run import convert
    from workbench.evaluate.runtimes.base import runtimes

    if runtimes.get(artifact.format).in_process:
        return artifact
    return convert(artifact, "onnx", dataset=data, workspace=workspace)


def _measured(order: Order, artifact: Artifact, workspace: Workspace) -> Made:
    from workbench.evaluate.score import evaluate
    from workbench.evaluate.sizes import measure_sizes

    answers = answering(artifact, order.data, workspace)
    made = Made(
        label=order.label,
        plan=order.plan,
        model=order.model,
        artifact=artifact,
        answering=answers,
        before=answering(order.model, order.data, workspace),
        evaluation=evaluate(answers, order.data, workspace=workspace),
        sizes=measure_sizes(answers),
        data=order.data,
    )
    keep_point(TunedPoint(order.plan, made.evaluation.accuracy, made.sizes), order.model, order.data, workspace)
    return made
