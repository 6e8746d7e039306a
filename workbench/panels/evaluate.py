"""Evaluate: accuracy with its interval, who is taken for whom, the samples behind it, and whether it passes a gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workbench.core.artifact import Artifact
from workbench.core.errors import WorkbenchError
from workbench.core.language import N_, _
from workbench.core.records import Evaluation
from workbench.datasets import Dataset, default_dataset
from workbench.evaluate.answers import Answers
from workbench.evaluate.score import STAGE, asked
from workbench.jobs.state import UNFINISHED
from workbench.panels.base import Panel, Session, grid, stack
from workbench.panels.form import Form
from workbench.panels.parts.answered_samples import AnsweredSamples
from workbench.panels.parts.arguments import arguments_in
from workbench.panels.parts.chosen_data import chosen_by, open_chosen, python_for
from workbench.panels.parts.evaluation_plan import EvaluationPlan, first_values, gate_of, looks, rules_in, splits
from workbench.panels.parts.score_view import ScoreView, drawn
from workbench.panels.parts.stages import state_words
from workbench.panels.parts.verdict_view import VerdictView
from workbench.widgets.action_bar import ActionBar
from workbench.widgets.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.events import Event
    from workbench.core.records import Sizes
    from workbench.core.workspace import Workspace
    from workbench.datasets.dataset import Split
    from workbench.jobs import Job

_EMPTY = N_("Train a model, and its answers on data it has not seen stand here.")


class EvaluatePanel(Panel):
    """How the model answers; a model that was just trained is evaluated by itself.

    Attributes:
        evaluation: The last result; None before the first one.
    """

    title: ClassVar[str] = N_("Evaluate")
    subtitle: ClassVar[str] = N_("How the model answers on data it was not trained on.")
    verb: ClassVar[str] = "evaluate"

    def __init__(
        self, session: Session | None = None, *, artifact: str | None = None, workspace: Workspace | None = None
    ) -> None:
        super().__init__(session, artifact=artifact, workspace=workspace)
        self.evaluation: Evaluation | None = None
        self._asked: tuple[str, Split] | None = None
        self._forget: Any = None
        self.form = Form(
            EvaluationPlan, values=first_values(self.session.artifact), looks=looks(), shown=("artifact", "split"),
            label=_("Evaluation settings"),
        )  # fmt: skip
        self.form.widget.advanced_title = _("Gate: what the model must keep")
        self._build()
        self._details = grid(
            "halves", stack(self.scores.matrix, self.scores.table), stack(self.samples.widget, self.scores.calibration)
        )
        self._details.layout.display = "none"  # until there is something to look at
        self._arrange(
            grid("aside", stack(self.form.widget, self._actions),
                 stack(self._progress, self.scores.tiles, self.verdict.widget)),
            self._details,
        )  # fmt: skip
        self.form.on_change(self.guard(self._on_form))
        self.session.observe(self.guard(self._on_artifact), "artifact")
        self.session.observe(self.guard(lambda _change: self._show_code()), "dataset")
        self.refresh()

    def code(self) -> str:
        """Return the Python that evaluates the same model on the same data."""
        plan = self.settings.model_dump()
        split = "" if plan["split"] == "test" else f", split={plan['split']!r}"
        dataset = python_for(self._dataset_of(plan["artifact"]))
        return (
            "import workbench as wb\n\n"
            f"model = wb.Artifact.load({plan['artifact']!r})\n"
            f"evaluation = wb.evaluate(model, {dataset}{split})\n{_gate_code(plan)}"
        )

    @classmethod
    def _settings_in(cls, text: str) -> dict[str, Any]:
        gate = arguments_in(text, "Gate") if "Gate(" in text else {}
        return {**gate, **arguments_in(text, "load", ("artifact",)), **arguments_in(text, "evaluate")}

    def start(self) -> None:
        """Evaluate the model that the form names; errors are shown in the strip."""
        self.errors.clear()
        plan = self.settings.model_dump()
        question = (plan["artifact"], plan["split"])
        if question != self._asked:
            # Figures of another model under this one's name would mislead.
            self._clear()
        self._asked = question
        self._say("preparing", _("Opening the model and the data"), active=True)
        self.in_background(
            lambda: self._submit(*question),
            lambda job: self._attach(job, question),
            lambda error: self._late(question, error),
        )

    def refresh(self) -> None:
        """Evaluate the session's model if that was not done yet."""
        plan = self.form.values
        if plan["artifact"] and (plan["artifact"], plan["split"]) != self._asked:
            self.start()

    def _on_artifact(self, _change: Any) -> None:
        self.form.write({"artifact": self.session.artifact})
        self.refresh()

    def _on_form(self) -> None:
        self._actions.change("evaluate", enabled=self.form.valid and bool(self.form.values["artifact"]))
        self._judge()
        if self._asked is not None and self.form.values["split"] != self._asked[1]:
            self.refresh()

    def _submit(self, folder: str, split: Split) -> Job:
        artifact = Artifact.load(folder).verify()
        spec, workspace = artifact.settings.get("dataset"), self.session.workspace
        if isinstance(spec, dict):
            data = Dataset.open_spec(spec, workspace)
        else:
            data = open_chosen(self._dataset_of(folder), workspace)
        return self.submit(STAGE, asked(artifact, data, split), kind="evaluate")

    def _dataset_of(self, folder: str) -> str:
        """Return the data that a model was trained on; what the session has chosen where its folder does not say."""
        try:
            spec = Artifact.load(folder).settings.get("dataset") if folder else None
        except WorkbenchError:
            spec = None
        if isinstance(spec, dict):
            return chosen_by(spec, self.session.workspace)
        return self.session.dataset or default_dataset(self.session.workspace).name

    def _attach(self, job: Job, question: tuple[str, Split]) -> None:
        if question != self._asked:
            return  # another question was put since; whichever answer comes last, that one's is shown
        if self._forget is not None:
            self._forget()

        def news(events: list[Event], state: str) -> None:
            if question == self._asked:
                self._on_news(job, events, state)

        self._forget = self.follow(job, news)

    def _late(self, question: tuple[str, Split], error: BaseException) -> None:
        if question == self._asked:
            self._failed(error)

    def _on_news(self, job: Job, events: list[Event], state: str) -> None:
        done = [event.data for event in events if event.type == "progress" and event.data["total"]]
        if state == "done":
            self._show(job, Evaluation.from_json(job.value()))
        elif state in UNFINISHED:
            self._say(state, _("Not finished"), tone="bad")
            job.value()
        elif done:
            self._say(
                "running", done[-1]["label"].capitalize(), share=done[-1]["done"] / done[-1]["total"], active=True
            )

    def _failed(self, error: BaseException) -> None:
        self._say("", _("Not evaluated"))
        self._clear()
        super()._failed(error)

    def _clear(self) -> None:
        self.evaluation = None
        self.scores.clear()
        self.samples.clear()
        self.verdict.show(None)
        self.verdict.judge(gate_of({}))

    def _build(self) -> None:
        self._actions = ActionBar(
            label=_("Evaluation"),
            actions=[{"name": "evaluate", "label": _("Evaluate"), "primary": True,
                      "enabled": bool(self.session.artifact)}],
        )  # fmt: skip
        self._actions.on_press("evaluate", self.guard(self.start))
        self._progress = Progress(label=_("Evaluation"), text=_(_EMPTY))
        self.scores, self.verdict, self.samples = ScoreView(), VerdictView(), AnsweredSamples(self.guard)
        self.verdict.actions.on_press("baseline", self.guard(self._on_baseline))
        self.scores.matrix.observe(self.guard(self._on_cell), "selected")

    def _on_cell(self, change: Any) -> None:
        counts = self.scores.matrix.counts
        if len(change.new) == 2 and all(0 <= each < len(counts) for each in change.new):  # noqa: PLR2004 - row, column
            self.samples.show_cell(*change.new)

    def _on_baseline(self) -> None:
        self.verdict.take_baseline()
        self._judge()

    def _judge(self) -> None:
        if self.form.valid:
            self.verdict.judge(gate_of(self.form.values))

    def _say(self, state: str, text: str, *, share: float = -1.0, active: bool = False, tone: str = "accent") -> None:
        with self._progress.hold_sync():
            self._progress.active, self._progress.text, self._progress.tone = active, text, tone
            self._progress.share = share if active else 0.0
        with self.heading.hold_sync():
            self.heading.chip, self.heading.tone = state_words().get(state, state), tone

    def _show(self, job: Job, evaluation: Evaluation) -> None:
        self.evaluation = evaluation
        self._say("done", _words(evaluation), tone="good")
        self._details.layout.display = None
        self.scores.show(evaluation)
        self.verdict.show(evaluation)
        self._judge()
        self._show_samples(job, evaluation)
        folder = self.form.values["artifact"]

        def if_shown(show: Callable[[Any], None]) -> Callable[[Any], None]:
            return lambda found: show(found) if self.evaluation is evaluation else None

        def weighed(sizes: Sizes) -> None:
            self.verdict.show(evaluation, sizes)
            self._judge()

        self.in_background(
            lambda: drawn(evaluation), if_shown(lambda figure: self.scores.show_calibration(evaluation, figure))
        )
        # Where its file is gone meanwhile, a rule on its size says that it was not measured.
        self.in_background(lambda: Artifact.load(folder).sizes(), if_shown(weighed), lambda _error: None)

    def _show_samples(self, job: Job, evaluation: Evaluation) -> None:
        spec, split = job.settings.get("dataset"), job.settings.get("split", "test")
        answers = Answers.read(job.result, evaluation.accuracy.total)
        if spec is not None and answers is not None:
            self.samples.attach(Dataset.open_spec(spec, self.session.workspace), split, answers)


def _words(evaluation: Evaluation) -> str:
    where = {"split": splits().get(evaluation.split, evaluation.split).lower(), "dataset": evaluation.dataset}
    right, total = evaluation.accuracy.successes, evaluation.accuracy.total
    return _("{right} of {total} right on the {split} split of {dataset}").format(right=right, total=total, **where)


def _gate_code(plan: dict[str, Any]) -> str:
    rules = ", ".join(f"{name}={limit!r}" for name, limit in rules_in(plan).items())
    return f"verdict = wb.Gate({rules}).check(evaluation, sizes=model.sizes())\n" if rules else ""
