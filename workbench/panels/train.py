"""Train: choose data and a recipe, watch the curves, cancel, resume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workbench.core.errors import BadInputError, WorkbenchError
from workbench.core.language import N_, _
from workbench.core.records import LearningCurve
from workbench.datasets import default_dataset
from workbench.jobs import Job
from workbench.panels.base import Panel, Session, grid, stack
from workbench.panels.form import Form
from workbench.panels.parts.arguments import arguments_in
from workbench.panels.parts.chosen_data import chosen_by, open_chosen, python_for
from workbench.panels.parts.run_compare import RunCompare, trained_in
from workbench.panels.parts.run_view import GOING_ON, TONES, RunView
from workbench.panels.parts.training_plan import SHOWN, TrainingPlan, defaults, looks, notes, recipe_names, with_dataset
from workbench.panels.parts.written_values import written_by, written_on_change
from workbench.train.fit import STAGE, train_settings
from workbench.train.settings import TrainSettings
from workbench.widgets.action_bar import ActionBar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.core.events import Event
    from workbench.core.settings import Settings
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset

_SECONDS_BETWEEN_LOOKS_FOR_RUNS = 1.0
_STOPPED = ("cancelled", "failed", "lost")


class TrainPanel(Panel):
    """Training with live curves.

    It shows the newest training run of the workspace, also one that another page or a script started.

    Attributes:
        job: The run that is shown; None before the first one.
        state: How it stood when the panel last heard of it; `preparing` while one is asked for.
    """

    title: ClassVar[str] = N_("Train")
    subtitle: ClassVar[str] = N_("Choose data and a recipe; the run goes on when this page is closed.")
    verb: ClassVar[str] = "train"

    def __init__(self, session: Session | None = None, *, workspace: Workspace | None = None) -> None:
        super().__init__(session, workspace=workspace)
        self.job: Job | None = None
        self.state = ""
        self._forget: Callable[[], None] | None = None
        self._watching = False
        self._recipe = "docs"
        self._view = RunView()
        self._compared = RunCompare()
        self._compared.on_tick(self.guard)
        self._compared.on_use(self.guard(self._use_chosen))
        self._actions = self._buttons()
        dataset = self.session.dataset or default_dataset(self.session.workspace).name
        self.form = Form(
            TrainingPlan,
            values={**written_by(self._recipe, dataset), "dataset": dataset},
            looks=looks(),
            shown=SHOWN,
            label=_("Training settings"),
        )
        self._before = self.form.values
        self._arrange(grid("aside", stack(self.form.widget, self._actions), self._view.widget), self._compared.widget)
        self.form.on_change(self.guard(self._on_form))
        self._on_form()
        self.session.observe(self.guard(self._on_dataset), "dataset")
        self.guard(self.refresh)()

    def code(self) -> str:
        """Return the Python that trains with these settings; what the recipe says already is left out."""
        plan = self.settings.model_dump()
        said = defaults(plan["recipe"])
        changed = [f"{name}={value!r}" for name, value in plan.items() if name in said and value != said[name]]
        arguments = ", ".join([python_for(plan["dataset"], plan["label"]), repr(plan["recipe"]), *changed])
        return f"import workbench as wb\n\nmodel = wb.train({arguments})\n"

    def start(self) -> None:
        """Ask for the run that the form describes; returns at once.

        Raises:
            BadInputError: A value breaks its rule.
        """
        plan = self.settings
        asked = plan.model_dump()
        if not self._busy:
            self._ask(
                _("Preparing the data"),
                lambda: open_chosen(asked["dataset"], self.session.workspace, asked["label"]),
                lambda data: self._train_on(data, plan),
                self._no_data,
            )

    def cancel(self) -> None:
        """End the run that is shown; it can be resumed."""
        if self.job is not None:
            self.job.cancel()
            self._actions.change("cancel", enabled=False, label=_("Cancelling…"))

    def resume(self) -> None:
        """Go on with a run that was cancelled, failed or lost, from its last epoch; returns at once."""
        if self.job is not None and not self._busy:
            self._ask(_("Going on with the run"), self.job.resume, self._attach, self._failed)

    def refresh(self) -> None:
        """Show the newest training run of the workspace, unless the one that is shown goes on."""
        if not self._watching and self.session.presence.watched:
            self._watching = True
            self.session.live.watch(self.guard(self._look_for_runs), _SECONDS_BETWEEN_LOOKS_FOR_RUNS)
            self._read_runs()
        self._look_for_runs()

    def _read_runs(self) -> None:
        workspace = self.session.workspace
        self.latest(lambda _outdated: trained_in(workspace), self._compared.show, topic="runs")

    def _use_chosen(self) -> None:
        if self._compared.chosen:
            self.session.artifact = self._compared.chosen

    @property
    def _busy(self) -> bool:
        return self.state == "preparing" or self.state in GOING_ON

    def _look_for_runs(self) -> None:
        if self._busy:
            return
        newest = next(iter(self.session.workspace.list_runs("train")), None)
        shown = self.job.folder if self.job is not None else None
        # The same run again if it stood still here and another page has resumed it.
        again = self.job is not None and self.state in _STOPPED and self.job.state != self.state
        if newest is not None and (newest != shown or again) and (newest / "job.json").is_file():
            self._attach(Job(newest), restore=shown is None)

    def _ask(
        self,
        words: str,
        work: Callable[[], Any],
        then: Callable[[Any], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self.errors.clear()
        self.form.check()
        self._turn("preparing")
        self._view.say(words, share=-1.0, active=True)
        self.in_background(work, then, failed)

    def _train_on(self, data: Dataset, plan: Settings) -> None:
        values = plan.model_dump(exclude={"dataset", "label", "recipe"})

        def submit() -> Job:
            settings = train_settings(data, plan.model_dump()["recipe"], **values)
            return self.submit(STAGE, settings, kind="train")

        self.in_background(submit, self._on_submitted)

    def _no_data(self, error: BaseException) -> None:
        if isinstance(error, BadInputError):
            # The column is at fault where its name is, all else is the file.
            self.form.complain("label" if str(error).startswith("label ") else "dataset", str(error))
            self._not_started()
        else:
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        super()._failed(error)
        self._not_started()

    def _not_started(self) -> None:
        self._turn(self.job.state if self.job is not None else "")
        self._view.say(_("Not started"))

    def _on_submitted(self, job: Job) -> None:
        # The same question is never computed twice; people should know why it took no time.
        known = job.state == "done"
        self._attach(job, remark=N_("Done after {n} epochs in an earlier run with the same settings") if known else "")

    def _attach(self, job: Job, *, restore: bool = False, remark: str = "") -> None:
        if self._forget is not None:
            self._forget()
        asked = TrainSettings.parse(job.settings)
        self.job, self.state = job, ""
        self.session.run = job.id
        self.heading.subtitle = _("{data}, {network}, recipe {recipe}: {run}").format(
            data=asked.dataset["name"], network=asked.architecture, recipe=asked.recipe, run=job.id
        )
        if restore:
            data = chosen_by(asked.dataset, self.session.workspace)
            self._restore({**asked.model_dump(), "dataset": data, "label": None})
        self._view.begin(asked.epochs, remark=remark)
        self._forget = self.follow(job, self._on_news)

    def _on_news(self, events: Sequence[Event], state: str) -> None:
        assert self.job is not None
        self._view.feed(events, state)
        if state == self.state:
            return
        self._turn(state)
        if state == "done":
            value = self.job.value()
            self._view.conclude(LearningCurve.from_json(value["curve"]))
            self.session.add_variant("float", value["artifact"])
            self.session.artifact = value["artifact"]
            self._read_runs()
        elif state == "lost":
            self.errors.show(_("The process of this run is gone. Resume goes on from its last finished epoch."))
        elif state == "failed":
            self._show_failure(self.job)

    def _show_failure(self, job: Job) -> None:
        try:
            job.value()
        except WorkbenchError as error:
            log = job.log.read_text(encoding="utf-8", errors="replace") if job.log.is_file() else ""
            self.errors.show(str(error), f"{error}\n\n{log}")

    def _on_form(self) -> None:
        before, self._before = self._before, self.form.values
        recipe, dataset = self._before["recipe"], str(self._before["dataset"])
        written = written_on_change(before, self._before, self._recipe)
        self._recipe = recipe if recipe in recipe_names() else self._recipe
        if written:
            self.form.write(written)
            return
        self.form.widget.notes = notes(dataset)
        self.session.dataset = dataset
        self._actions.change("train", enabled=self.form.valid and not self._busy)

    def _on_dataset(self, _change: object) -> None:
        """Take what another panel or a link chose."""
        chosen = self.session.dataset
        if chosen and chosen != self.form.values["dataset"]:
            self._restore({"dataset": chosen})

    def _restore(self, values: dict[str, Any]) -> None:
        recipe = values.get("recipe", self._recipe)
        if "dataset" in values:
            self.form.widget.fields = with_dataset(self.form.widget.fields, str(values["dataset"]))
        said = defaults(recipe) if recipe in recipe_names() else {}
        self._recipe = recipe
        super()._restore({**said, **values})

    @classmethod
    def _settings_in(cls, text: str) -> dict[str, Any]:
        return arguments_in(text, cls.verb, ("dataset", "recipe"))

    def _turn(self, state: str) -> None:
        self.state = state
        with self.heading.hold_sync():
            self.heading.chip, self.heading.tone = state, TONES.get(state, "accent")
        with self._actions.hold_sync():
            self._actions.change("train", enabled=self.form.valid and not self._busy)
            self._actions.change("cancel", shown=state in GOING_ON, enabled=True, label=_("Cancel"))
            self._actions.change("resume", shown=state in _STOPPED)

    def _buttons(self) -> ActionBar:
        bar = ActionBar(
            label=_("Training"),
            actions=[
                {
                    "name": "train",
                    "label": _("Train"),
                    "primary": True,
                    "tooltip": _("Start a run with these settings"),
                },
                {
                    "name": "cancel",
                    "label": _("Cancel"),
                    "shown": False,
                    "tooltip": _("End the run; it can be resumed"),
                },
                {
                    "name": "resume",
                    "label": _("Resume"),
                    "shown": False,
                    "tooltip": _("Go on from the last finished epoch"),
                },
            ],
        )
        for name, callback in (("train", self.start), ("cancel", self.cancel), ("resume", self.resume)):
            bar.on_press(name, self.act(callback))
        return bar
