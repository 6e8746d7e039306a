"""Evaluate: accuracy with its interval, the confusion matrix, scores a class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from workbench.core.artifact import Artifact
from workbench.core.errors import WorkbenchError
from workbench.core.records import Evaluation
from workbench.core.settings import Settings
from workbench.datasets import Dataset, default_dataset
from workbench.panels.base import Panel, Session, grid
from workbench.panels.form import Form
from workbench.panels.parts.arguments import arguments_in
from workbench.panels.parts.chosen_data import chosen_by, open_chosen, python_for
from workbench.panels.parts.run_view import percent
from workbench.widgets.action_bar import ActionBar
from workbench.widgets.data_table import DataTable
from workbench.widgets.matrix import Matrix
from workbench.widgets.progress import Progress
from workbench.widgets.stat_tiles import StatTiles

if TYPE_CHECKING:
    from workbench.core.events import Event
    from workbench.core.workspace import Workspace
    from workbench.jobs import Job

STAGE = "workbench.evaluate.score:run"
_EMPTY = "Train a model, and its answers on data it has not seen stand here."


class EvaluationPlan(Settings):
    """What the panel sets."""

    artifact: str = Field(default="", description="folder of the model")
    split: Literal["test", "train"] = Field(default="test", description="unseen samples, or those it was trained on")


class EvaluatePanel(Panel):
    """How the model answers; a model that was just trained is evaluated by itself.

    Attributes:
        evaluation: The last result; None before the first one.
    """

    title: ClassVar[str] = "Evaluate"
    subtitle: ClassVar[str] = "How the model answers on data it was not trained on."
    verb: ClassVar[str] = "evaluate"

    def __init__(
        self, session: Session | None = None, *, artifact: str | None = None, workspace: Workspace | None = None
    ) -> None:
        super().__init__(session, workspace=workspace)
        if artifact is not None:
            self.session.artifact = str(artifact)
        self.evaluation: Evaluation | None = None
        self._asked: tuple[str, str] | None = None
        self._forget: Any = None
        self.form = Form(
            EvaluationPlan,
            values={"artifact": self.session.artifact, "split": "test"},
            looks={
                "split": {"choices": [{"value": "test", "label": "Test"}, {"value": "train", "label": "Training"}]},
                "artifact": {"label": "Model", "placeholder": "folder of a model"},
            },
            shown=("artifact", "split"),
            label="Evaluation settings",
        )
        self._build()
        self._arrange(
            grid("form-row", self.form.widget, self._actions),
            self._progress, self._tiles, grid("halves", self._matrix, self._table),
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
            f"evaluation = wb.evaluate(model, {dataset}{split})\n"
        )

    @classmethod
    def _settings_in(cls, text: str) -> dict[str, Any]:
        return {**arguments_in(text, "load", ("artifact",)), **arguments_in(text, "evaluate")}

    def start(self) -> None:
        """Evaluate the model that the form names; errors are shown in the strip."""
        self.errors.clear()
        plan = self.settings.model_dump()
        asked = (plan["artifact"], plan["split"])
        if asked != self._asked:
            # Figures of another model under this one's name would mislead.
            self._clear()
        self._asked = asked
        self._say("preparing", "Opening the model and the data", active=True)
        self.in_background(
            lambda: self._submit(*asked), lambda job: self._attach(job, asked), lambda error: self._late(asked, error)
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
        if self._asked is not None and self.form.values["split"] != self._asked[1]:
            self.refresh()

    def _submit(self, folder: str, split: str) -> Job:
        artifact = Artifact.load(folder).verify()
        spec, workspace = artifact.settings.get("dataset"), self.session.workspace
        if isinstance(spec, dict):
            data = Dataset.open_spec(spec, workspace)
        else:
            data = open_chosen(self._dataset_of(folder), workspace)
        asked = {"artifact": folder, "sha256": artifact.sha256, "dataset": data.spec, "split": split}
        return self.submit(STAGE, asked, kind="evaluate")

    def _dataset_of(self, folder: str) -> str:
        """Return the data that a model was trained on; what the session has chosen where its folder does not say."""
        try:
            spec = Artifact.load(folder).settings.get("dataset") if folder else None
        except WorkbenchError:
            spec = None
        if isinstance(spec, dict):
            return chosen_by(spec, self.session.workspace)
        return self.session.dataset or default_dataset(self.session.workspace).name

    def _attach(self, job: Job, asked: tuple[str, str]) -> None:
        if asked != self._asked:
            return  # another question was put since; whichever answer comes last, that one's is shown
        if self._forget is not None:
            self._forget()

        def news(events: list[Event], state: str) -> None:
            if asked == self._asked:
                self._on_news(job, events, state)

        self._forget = self.follow(job, news)

    def _late(self, asked: tuple[str, str], error: BaseException) -> None:
        if asked == self._asked:
            self._failed(error)

    def _on_news(self, job: Job, events: list[Event], state: str) -> None:
        done = [event.data for event in events if event.type == "progress" and event.data["total"]]
        if state == "done":
            self._show(Evaluation.from_json(job.value()))
        elif state in ("failed", "cancelled", "lost"):
            self._say(state, "Not finished", tone="bad")
            job.value()
        elif done:
            self._say(
                "running", done[-1]["label"].capitalize(), share=done[-1]["done"] / done[-1]["total"], active=True
            )

    def _failed(self, error: BaseException) -> None:
        self._say("", "Not evaluated")
        self._clear()
        super()._failed(error)

    def _clear(self) -> None:
        self.evaluation = None
        self._tiles.tiles, self._matrix.counts, self._table.rows = [], [], []

    def _build(self) -> None:
        self._actions = ActionBar(
            label="Evaluation",
            actions=[{"name": "evaluate", "label": "Evaluate", "enabled": bool(self.session.artifact)}],
        )
        self._actions.on_press("evaluate", self.guard(self.start))
        self._progress = Progress(label="Evaluation", text=_EMPTY)
        self._tiles = StatTiles(label="Scores")
        self._matrix = Matrix(title="Confusion matrix", row_title="true class", column_title="predicted class")
        self._table = DataTable(
            title="Scores a class",
            columns=[
                {"name": "label", "label": "Class"},
                {"name": "precision", "label": "Precision", "format": "share",
                 "tooltip": "Of the samples given this label, the share that has it"},
                {"name": "recall", "label": "Recall", "format": "share",
                 "tooltip": "Of the samples that have this label, the share given it"},
                {"name": "f1", "label": "F1", "format": "share", "tooltip": "Harmonic mean of precision and recall"},
                {"name": "support", "label": "Samples", "format": "int", "tooltip": "Samples that have this label"},
            ],
        )  # fmt: skip

    def _say(self, chip: str, text: str, *, share: float = -1.0, active: bool = False, tone: str = "accent") -> None:
        with self._progress.hold_sync():
            self._progress.active, self._progress.text, self._progress.tone = active, text, tone
            self._progress.share = share if active else 0.0
        with self.heading.hold_sync():
            self.heading.chip, self.heading.tone = chip, tone

    def _show(self, evaluation: Evaluation) -> None:
        self.evaluation = evaluation
        right, total = evaluation.accuracy.successes, evaluation.accuracy.total
        where = f"the {evaluation.split} split of {evaluation.dataset}"
        self._say("done", f"{right} of {total} right on {where}", tone="good")
        self._tiles.tiles = _tiles(evaluation)
        with self._matrix.hold_sync():
            self._matrix.labels = [score.label for score in evaluation.classes]
            self._matrix.counts = [list(row) for row in evaluation.confusion]
        self._table.rows = [score.to_json() for score in evaluation.classes]


def _tiles(evaluation: Evaluation) -> list[dict[str, str]]:
    accuracy, worst = evaluation.accuracy, min(evaluation.classes, key=lambda score: score.recall)
    interval = f"{100 * accuracy.level:g} % interval {percent(accuracy.low)} to {percent(accuracy.high)}"
    gap = "mean gap of confidence and accuracy"
    return [
        {"label": "Accuracy", "value": percent(accuracy.value), "detail": interval, "tooltip": "Wilson score interval"},
        {"label": "Worst class", "value": worst.label, "detail": f"recall {percent(worst.recall)}"},
        {"label": "Log loss", "value": f"{evaluation.log_loss:.4f}", "detail": "nats a sample"},
        {"label": "Calibration error", "value": percent(evaluation.calibration_error), "detail": gap},
    ]
