"""Train: choose data and a recipe, watch the curves, cancel, resume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workbench.core.errors import BadInputError, WorkbenchError
from workbench.core.language import N_, _
from workbench.core.records import LearningCurve
from workbench.datasets import default_dataset
from workbench.jobs import Job
from workbench.jobs.state import FINAL, UNFINISHED
from workbench.panels.base import Panel, Session, grid, stack
from workbench.panels.parts.arguments import arguments_in
from workbench.panels.parts.chosen_data import chosen_by, open_chosen
from workbench.panels.parts.run_compare import RunCompare, trained_in
from workbench.panels.parts.run_view import GOING_ON, TONES, RunView
from workbench.panels.parts.seed_runs import alike, asked_together, seeds_in, spread
from workbench.panels.parts.stages import state_words
from workbench.panels.parts.training_actions import training_actions, turn
from workbench.panels.parts.training_form import TrainingForm
from workbench.panels.parts.training_plan import python_of
from workbench.train.fit import STAGE, train_settings
from workbench.train.settings import TrainSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.core.events import Event
    from workbench.core.settings import Settings
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset

_SECONDS_BETWEEN_LOOKS_FOR_RUNS = 1.0


class TrainPanel(Panel):
    """Training with live curves.

    It shows the newest training run of the workspace, also one that another page or a script started.

    Attributes:
        job: The run that is shown; None before the first one.
        runs: It and those that differ from it in their seed alone, in order of their seeds.
        state: How it stood when the panel last heard of it; `preparing` while one is asked for.
    """

    title: ClassVar[str] = N_("Train")
    subtitle: ClassVar[str] = N_("Choose data and a recipe; the run goes on when this page is closed.")
    verb: ClassVar[str] = "train"

    def __init__(self, session: Session | None = None, *, workspace: Workspace | None = None) -> None:
        super().__init__(session, workspace=workspace)
        self.job: Job | None = None
        self.runs: list[Job] = []
        self.state = ""
        self._forget: Callable[[], None] | None = None
        self._watching = self._was_there = False
        self._view = RunView()
        self._compared = RunCompare()
        self._compared.on_tick(self.guard)
        self._compared.on_use(self.guard(self._use_chosen))
        self._actions = training_actions(
            train=self.act(self.start),
            pause=self.act(self.pause),
            cancel=self.act(self.cancel),
            resume=self.act(self.resume),
        )
        dataset = self.session.dataset or default_dataset(self.session.workspace).name
        self.form: TrainingForm = TrainingForm(dataset)
        self._arrange(grid("aside", stack(self.form.widget, self._actions), self._view.widget), self._compared.widget)
        self.form.on_change(self.guard(self._on_form))
        self._on_form()
        self.session.observe(self.guard(self._on_dataset), "dataset")
        self._untouched = self.form.values
        self.guard(self.refresh)()

    def code(self) -> str:
        """Return the Python that trains with these settings; what the recipe says already is left out."""
        return python_of(self.settings.model_dump())

    def start(self) -> None:
        """Ask for the run that the form describes, or for one a seed; returns at once.

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

    def pause(self) -> None:
        """Let the run that is shown, and its other seeds, rest after the epoch under way; nothing is lost."""
        for job in self.runs:
            job.pause()
        self._actions.change("pause", enabled=False, label=_("Pausing after this epoch…"))

    def cancel(self) -> None:
        """End the run that is shown, and its other seeds, now; they can be resumed."""
        for job in self.runs:
            job.cancel()
        self._actions.change("cancel", enabled=False, label=_("Cancelling…"))

    def resume(self) -> None:
        """Go on with what did not finish of the run and its other seeds, from the last epochs; returns at once."""
        together = asked_together(self.job, self.runs) if self.job is not None else []
        unfinished = [job for job in together if job.state in UNFINISHED]
        if unfinished and not self._busy:
            self._ask(
                _("Going on with the run"),
                lambda: [job.resume() for job in unfinished],
                lambda jobs: self._attach(jobs[0]),
                self._failed,
            )

    def refresh(self) -> None:
        """Show the newest training run of the workspace, unless the one that is shown goes on."""
        if not self._watching and self.session.presence.watched:
            self._watching = True
            self.session.live.watch(self.guard(self._look_for_runs), _SECONDS_BETWEEN_LOOKS_FOR_RUNS)
            self._read_runs()
        self._look_for_runs(restore=True)

    def _read_runs(self) -> None:
        workspace = self.session.workspace
        self.latest(lambda _outdated: trained_in(workspace), self._compared.show, topic="runs")

    def _use_chosen(self) -> None:
        if self._compared.chosen:
            self.session.artifact = self._compared.chosen

    @property
    def _busy(self) -> bool:
        return self.state == "preparing" or self.state in GOING_ON

    def _look_for_runs(self, *, restore: bool = False) -> None:
        # What another page starts later is shown; the settings here stay those of whoever sits here.
        if self._busy:
            return
        newest = next(iter(self.session.workspace.list_runs("train")), None)
        shown = self.job.folder if self.job is not None else None
        # The same run again if it stood still here and another page has resumed it.
        again = self.job is not None and self.state in UNFINISHED and self.job.state != self.state
        if newest is not None and (newest != shown or again) and (newest / "job.json").is_file():
            # A panel is made ahead of its page: until somebody sets something, its form is that of what is shown.
            self._attach(Job(newest), restore=restore and self.form.values == self._untouched)

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
        asked = plan.model_dump()
        values = plan.model_dump(exclude={"dataset", "label", "recipe", "seed", "seeds"})

        def submit() -> list[Job]:
            seeds = range(asked["seed"], asked["seed"] + asked["seeds"])
            every = [train_settings(data, asked["recipe"], **values, seed=seed) for seed in seeds]
            return [self.submit(STAGE, settings, kind="train") for settings in every]

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

    def _on_submitted(self, jobs: list[Job]) -> None:
        # The same question is never computed twice; people should know why it took no time.
        job = next((job for job in jobs if job.state != "done"), jobs[0])
        known = job.state == "done"
        self._attach(job, remark=N_("Done after {n} epochs in an earlier run with the same settings") if known else "")

    def _attach(self, job: Job, *, restore: bool = False, remark: str = "") -> None:
        if self._forget is not None:
            self._forget()
        asked = TrainSettings.parse(job.settings)
        self.job, self.state = job, ""
        self._was_there = restore and job.state == "done"
        self.runs = alike(job, self.session.workspace)
        self.session.run = job.id
        self.heading.subtitle = _("{data}, {network}, recipe {recipe}, seed {seed}: {run}").format(
            data=asked.dataset["name"], network=asked.architecture, recipe=asked.recipe, seed=asked.seed, run=job.id
        )
        if restore:
            data = chosen_by(asked.dataset, self.session.workspace)
            self._restore({**asked.model_dump(), "dataset": data, "label": None})
            self._untouched = self.form.values
        self._view.begin(asked.epochs, remark=remark)
        forget = self.follow(job, self._on_news)
        if self.job is job:
            self._forget = forget
        else:  # it had ended, and another seed is followed by now
            forget()

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
            # What a link chose is not replaced by what merely was made last.
            if not (self._was_there and self.session.artifact):
                self.session.artifact = value["artifact"]
        elif state == "lost":
            self.errors.show(_("The process of this run is gone. Resume goes on from its last finished epoch."))
        elif state == "failed":
            self._show_failure(self.job)
        if state in FINAL:
            self._go_to_next_seed()

    def _go_to_next_seed(self) -> None:
        going_on = next((job for job in self.runs if job.state in GOING_ON), None)
        if going_on is not None:
            self._attach(going_on)
            return
        self._read_runs()
        told = spread(self.runs)
        if told and self.state == "done":
            self._view.say(told, share=1.0, tone="good")
            self._compared.tick([job.id for job in self.runs])

    def _show_failure(self, job: Job) -> None:
        try:
            job.value()
        except WorkbenchError as error:
            log = job.log.read_text(encoding="utf-8", errors="replace") if job.log.is_file() else ""
            self.errors.show(str(error), f"{error}\n\n{log}")

    def _on_form(self) -> None:
        if self.form.settle():
            self.session.dataset = str(self.form.values["dataset"])
            self._actions.change("train", enabled=self.form.valid and not self._busy)

    def _on_dataset(self, _change: object) -> None:
        """Take what another panel or a link chose."""
        chosen = self.session.dataset
        if chosen and chosen != self.form.values["dataset"]:
            self._restore({"dataset": chosen})

    @classmethod
    def _settings_in(cls, text: str) -> dict[str, Any]:
        call, seeds = seeds_in(text)
        return arguments_in(call, cls.verb, ("dataset", "recipe")) | seeds

    def _turn(self, state: str) -> None:
        self.state = state
        with self.heading.hold_sync():
            self.heading.chip, self.heading.tone = state_words().get(state, state), TONES.get(state, "accent")
        turn(self._actions, state, ready=self.form.valid and not self._busy)
