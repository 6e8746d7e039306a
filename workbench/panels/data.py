"""Data: choose it, drop a file of one's own, look at its samples, and see what to mind before training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from workbench.core.errors import BadInputError, WorkbenchError
from workbench.core.language import N_, _
from workbench.datasets import Dataset, default_dataset, prepared_dataset
from workbench.panels.base import Panel, Session, grid, stack
from workbench.panels.form import Form
from workbench.panels.parts import data_facts
from workbench.panels.parts.arguments import arguments_in
from workbench.panels.parts.chosen_data import is_csv, is_prepared, open_chosen, python_for
from workbench.panels.parts.data_plan import DataPlan, looks
from workbench.panels.parts.incoming import forget
from workbench.panels.parts.sample_view import SampleView, mixed
from workbench.panels.parts.training_plan import notes, with_dataset
from workbench.panels.parts.upload_view import UploadView
from workbench.widgets.action_bar import ActionBar
from workbench.widgets.data_table import DataTable
from workbench.widgets.field_set import FieldSet
from workbench.widgets.progress import Progress
from workbench.widgets.stat_tiles import StatTiles

if TYPE_CHECKING:
    from workbench.core.records.dataset import DatasetSurvey
    from workbench.core.workspace import Workspace

_ALL = ""
_Question = tuple[str, str | None]
_EMPTY = N_("Choose data and press Show; it is prepared once and kept.")


class DataPanel(Panel):
    """Chooses the session's data.

    Attributes:
        data: What is shown; None before the first.
        survey: Its figures; None until they are counted.
    """

    title: ClassVar[str] = N_("Data")
    subtitle: ClassVar[str] = N_("Choose data or bring your own, and look at it before anything is trained.")
    verb: ClassVar[str] = "load_dataset"

    def __init__(self, session: Session | None = None, *, workspace: Workspace | None = None) -> None:
        super().__init__(session, workspace=workspace)
        self.data: Dataset | None = None
        self.survey: DatasetSurvey | None = None
        self._asked: _Question | None = None
        self._preparing: _Question | None = None
        chosen = self.session.dataset or default_dataset(self.session.workspace).name
        self.form = Form(
            DataPlan, values={"dataset": chosen, "label": None}, looks=looks(), shown=("dataset",),
            label=_("Choice of data"),
        )  # fmt: skip
        self.form.widget.fields = with_dataset(self.form.widget.fields, chosen)
        self._build()
        aside = stack(self.form.widget, self._actions, self.upload.widget)
        samples = grid("halves", *(view.widget for view in self.samples.values()))
        facts = stack(self._progress, self._tiles, self._view, samples)
        self._arrange(grid("aside", aside, facts), grid("halves", self._balance, stack(self._checks, self._compared)))
        self.form.on_change(self.guard(self._on_form))
        self.session.observe(self.guard(self._on_session), "dataset")
        self._note()
        self.refresh()

    def code(self) -> str:
        """Return the Python that opens the same data."""
        plan = self.settings.model_dump()
        opened = python_for(plan["dataset"], plan["label"])
        if not opened.startswith("wb."):
            opened = f"wb.load_dataset({opened})"
        return f"import workbench as wb\n\ndata = {opened}\nprint(data)\n"

    @classmethod
    def _settings_in(cls, text: str) -> dict[str, Any]:
        verb = "open" if "Dataset.open(" in text else cls.verb
        return arguments_in(text, verb, ("dataset",))

    def start(self) -> None:
        """Show the data that the form names, preparing it where that was not done yet."""
        self.errors.clear()
        self.form.read()
        asked = self._question()
        if asked == self._preparing:
            return
        self._preparing, workspace = asked, self.session.workspace
        self._buttons()
        self._say(_("Preparing the data"), active=True)
        self.in_background(
            lambda: open_chosen(asked[0], workspace, asked[1]),
            lambda data: self._on_found(asked, data),
            lambda error: self._no_data(asked, error),
        )

    def refresh(self) -> None:
        """Show the chosen data if it is prepared already."""
        asked = self._question()
        if not self.form.valid or asked == self._asked:
            return
        self._clear()
        self._asked, workspace = asked, self.session.workspace
        options = {"label": asked[1]} if asked[1] else {}

        def find() -> Dataset | None:
            if is_prepared(asked[0]):
                return Dataset.open(asked[0])
            return prepared_dataset(asked[0], workspace=workspace, **options)

        self.in_background(
            find, lambda data: self._on_found(asked, data), lambda error: self._no_data(asked, error)
        )  # fmt: skip

    def close(self) -> None:
        """Drop an upload that is under way, too."""
        self.upload.close()
        super().close()

    def _question(self) -> _Question:
        chosen = str(self.form.values["dataset"])
        return chosen, self.form.values["label"] if is_csv(chosen) else None

    def _on_found(self, asked: _Question, data: Dataset | None) -> None:
        if data is not None:
            self._end(asked)
        # Other data may have been chosen since; whichever is ready last, the chosen one is shown.
        if asked == self._question() and data is not None:
            self._show(data)
            self._say(_("{name} is ready").format(name=data.name), tone="good")

    def _end(self, asked: _Question) -> None:
        if asked == self._preparing:
            self._preparing = None
            self._buttons()

    def _on_session(self, _change: Any) -> None:
        chosen = self.session.dataset
        if chosen and chosen != self.form.values["dataset"]:
            self.form.widget.fields = with_dataset(self.form.widget.fields, chosen)
            self.form.write({"dataset": chosen, "label": None})

    def _on_form(self) -> None:
        self._note()
        self._buttons()
        if self.form.valid:
            self.session.dataset = self.form.values["dataset"]
            self.refresh()

    def _restore(self, values: dict[str, Any]) -> None:
        self.form.widget.fields = with_dataset(self.form.widget.fields, str(values.get("dataset", "")))
        super()._restore(values)

    def _on_upload(self, path: Path) -> None:
        self._uploaded.add(str(path))
        self.form.write({"dataset": str(path), "label": None})
        self.start()

    def _no_data(self, asked: _Question, error: BaseException) -> None:
        self._end(asked)
        chosen = asked[0]
        if chosen in self._uploaded and isinstance(error, BadInputError) and not is_csv(chosen):
            # What was just sent and cannot be trained on is not kept; of a table another column may be named.
            self._uploaded.discard(chosen)
            forget(Path(chosen), self.session.workspace)
            self.upload.say(error=str(error))
        if asked != self._question():
            return
        self._say(_(_EMPTY))
        if not isinstance(error, WorkbenchError):
            self.fail(error)
            return
        self.form.complain("label" if str(error).startswith("label") else "dataset", str(error))

    def _show(self, data: Dataset) -> None:
        self.data, self.survey = data, None
        self._asked = self._question()
        self._tiles.tiles = data_facts.tiles(data)
        with self._view.hold_sync():
            classes = [{"value": str(at), "label": label} for at, label in enumerate(data.classes)]
            self._view.fields = [_class_field(classes)]
            self._view.values = {"shown": _ALL}
        self._show_samples()

        def counted(found: DatasetSurvey) -> None:
            if self.data is data:
                self._show_survey(found)

        from workbench.datasets.survey import survey

        self.in_background(lambda: survey(data), counted)

    def _show_survey(self, found: DatasetSurvey) -> None:
        self.survey = found
        most = max(max(line.train_share, line.test_share) for line in found.balance)
        with self._balance.hold_sync():
            self._balance.columns = data_facts.balance_columns(most)
            self._balance.rows = [line.to_json() for line in found.balance]
        self._compared.rows, self._checks.rows = data_facts.comparison(found), data_facts.checks(found)

    def _show_samples(self) -> None:
        data = self.data
        if data is None:
            return
        wanted = self._view.values.get("shown") or _ALL
        splits: tuple[tuple[Literal["train", "test"], str], ...] = (("train", _("Training")), ("test", _("Test")))
        for split, title in splits:
            labels = data.labels(split)
            index = mixed(labels) if wanted == _ALL else np.flatnonzero(labels == int(wanted))

            def words(at: int, labels: Any = labels) -> dict[str, str]:
                label = data.classes[int(labels[at])]
                about = _("Sample {index}: {label}").format(index=at, label=label)
                return {"name": label, "detail": f"#{at}", "about": about}

            self.samples[split].show(
                data, split, index, words, title=title, caption=_("{n} samples").format(n=f"{len(index):,}")
            )

    def _clear(self) -> None:
        self.data, self.survey, self._asked = None, None, None
        self._tiles.tiles, self._balance.rows, self._compared.rows, self._checks.rows = [], [], [], []
        for view in self.samples.values():
            view.clear()
        self._view.fields = []
        self._say(_(_EMPTY))

    def _note(self) -> None:
        self.form.widget.notes = notes(str(self.form.values["dataset"]))

    def _say(self, text: str, *, active: bool = False, tone: str = "accent") -> None:
        with self._progress.hold_sync():
            self._progress.text, self._progress.active, self._progress.tone = text, active, tone
            self._progress.share = -1.0 if active else 0.0

    def _buttons(self) -> None:
        self._actions.change("show", enabled=self.form.valid and self._question() != self._preparing)

    def _build(self) -> None:
        self._uploaded: set[str] = set()
        self._actions = ActionBar(
            label=_("Data"),
            actions=[{"name": "show", "label": _("Show"), "primary": True,
                      "tooltip": _("Prepare the data where that was not done yet, and look at it")}],
        )  # fmt: skip
        self._actions.on_press("show", self.act(self.start))
        self._progress = Progress(label=_("Preparing"), text=_(_EMPTY))
        self.upload = UploadView(self, self._on_upload)
        self._tiles = StatTiles(label=_("The data in figures"))
        self._view = FieldSet(label=_("Which samples"))
        self._view.observe(self.guard(lambda _change: self._show_samples()), "values")
        self.samples = {
            "train": SampleView(_("Training"), _("Training samples stand here."), guard=self.guard),
            "test": SampleView(_("Test"), _("Test samples stand here."), guard=self.guard),
        }
        self._balance = DataTable(title=_("Balance of the classes"), columns=data_facts.balance_columns())
        self._compared = DataTable(title=_("Training and test compared"), columns=data_facts.comparison_columns())
        self._checks = DataTable(title=_("Checks"), columns=data_facts.check_columns())


def _class_field(classes: list[dict[str, str]]) -> dict[str, Any]:
    every = [{"value": _ALL, "label": _("All classes")}]
    return {"name": "shown", "label": _("Samples of"), "kind": "choice", "choices": [*every, *classes], "half": True}
