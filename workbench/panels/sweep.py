"""Sweep: choose what is tried, see what it costs, watch the frontier fill, take the point that fits the budget."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.core.errors import BadInputError, WorkbenchError
from workbench.core.language import N_, _
from workbench.panels.base import Panel, Session, grid, stack
from workbench.panels.parts.chosen_data import python_for
from workbench.panels.parts.sweep_code import code_of, settings_in
from workbench.panels.parts.sweep_draft import begin, data_name, draft, drive, last_words, price
from workbench.panels.parts.sweep_export import exported
from workbench.panels.parts.sweep_found import can_be_swept, newest, plan_of
from workbench.panels.parts.sweep_plan import SweepForm, SweepPlan
from workbench.panels.parts.sweep_standing import GOING_ON, RESTING, TONES, Standing, minutes, said
from workbench.panels.parts.sweep_view import SweepView
from workbench.panels.parts.sweep_watch import SweepWatch
from workbench.sweep.handle import Sweep
from workbench.widgets.download import Download

if TYPE_CHECKING:
    from workbench.core.records import Estimate
    from workbench.core.workspace import Workspace

_SECONDS_BETWEEN_LOOKS = 0.5
_SECONDS_TO_START = 30.0
_PAUSE_BEFORE_PRICING = 0.3


class SweepPanel(Panel):
    """A sweep that is chosen by clicking, and its frontier while it fills.

    It opens the sweep that the session names, else the newest of the workspace.

    Attributes:
        watch: The sweep that is shown; None before the first one.
        state: How it stood when the panel last looked.
    """

    form: SweepForm
    title: ClassVar[str] = N_("Sweep")
    subtitle: ClassVar[str] = N_("Try many settings, see what accuracy costs, and take the point that fits.")
    verb: ClassVar[str] = "sweep"

    def __init__(
        self, session: Session | None = None, *, artifact: str | None = None, workspace: Workspace | None = None
    ) -> None:
        super().__init__(session, artifact=artifact, workspace=workspace)
        self.watch: SweepWatch | None = None
        self.state = ""
        self._looking, self._asked_at, self._busy = False, 0.0, False
        self.form = SweepForm({**SweepPlan().model_dump(), "artifact": self.session.artifact})
        self._standing = Standing()
        self._download = Download()
        self._view = SweepView(self)
        self._hear()
        self._arrange(
            grid("aside", stack(self.form.widget), stack(self.form.axes, self._standing.actions)),
            self._standing.line, self._view.widget, self._download,
        )  # fmt: skip
        self.form.on_change(self.guard(self._on_form))
        self.session.observe(self.guard(self._on_artifact), "artifact")
        self.session.observe(self.guard(lambda _change: self._open(self.session.sweep)), "sweep")
        self._on_form()
        self.guard(self.refresh)()

    def code(self) -> str:
        """Return the Python that runs the same sweep."""
        plan = SweepPlan.parse(self.form.values)
        return code_of(plan, python_for(data_name(plan, self.session.workspace)))

    @classmethod
    def _settings_in(cls, text: str) -> dict[str, Any]:
        return settings_in(text)

    def start(self) -> None:
        """Begin the sweep that the form describes, or go on with it if it was begun; returns at once."""
        if self._busy:
            return
        plan = SweepPlan.parse(self.form.values)
        self._wait(_("Preparing the sweep"))
        workspace = self.session.workspace
        self.in_background(lambda: begin(draft(plan, workspace), plan.name), self._on_begun, self._not_begun)

    def pause(self) -> None:
        """Let what is under way be finished and begin nothing new."""
        if self.watch is not None:
            self.watch.handle.pause()
            self._standing.actions.change("pause", enabled=False, label=_("Pausing…"))

    def cancel(self) -> None:
        """End its jobs now; finished points stay."""
        if self.watch is not None:
            self.watch.handle.cancel()
            self._standing.actions.change("cancel", enabled=False, label=_("Cancelling…"))

    def resume(self) -> None:
        """Go on with the sweep that is shown; returns at once."""
        if self.watch is None or self._busy:
            return
        handle = self.watch.handle
        self._wait(_("Going on with the sweep"))
        self.in_background(lambda: drive(handle), lambda _none: self._on_begun(handle), self._not_begun)

    def refresh(self) -> None:
        """Show the session's sweep, or the newest one."""
        if not self._looking and self.session.presence.watched:
            self._looking = True
            self.session.live.watch(self.guard(self.look), _SECONDS_BETWEEN_LOOKS)
        if self.watch is None:
            self._open(self.session.sweep or newest(self.session.workspace))
        self.look()

    def look(self) -> None:
        """See how the sweep that is shown stands; cheap while nothing is new."""
        watch = self.watch
        if watch is None:
            return
        news = watch.look()
        if self.state == "starting" and watch.state in RESTING and monotonic() < self._asked_at + _SECONDS_TO_START:
            return
        if self.state == "starting" and watch.state == "new" and (words := last_words(watch.handle)):
            self.errors.show(words.splitlines()[-1], words)
        if news or watch.state != self.state:
            self._turn(watch.state)
            self._view.feed(watch.points)
        self._standing.tell(self.watch, self.state)

    def _open(self, name: str) -> None:
        if name and (self.watch is None or self.watch.handle.name != name):
            handle = Sweep.attach(name, self.session.workspace)
            self._attach(handle, handle.total())
            self._restore(plan_of(handle))

    def _attach(self, handle: Sweep, total: int) -> None:
        self.watch = SweepWatch(handle, total)
        self._view.clear()
        self.heading.subtitle = _("{name}: {total} points").format(name=handle.name, total=total)
        self.session.sweep = handle.name
        self.look()

    def _on_begun(self, handle: Sweep) -> None:
        self._busy, self._asked_at = False, monotonic()
        if self.watch is None or self.watch.handle.name != handle.name:
            self._attach(handle, handle.total())
        self._turn("starting")
        self._standing.say(_("Starting"), active=True)

    def _not_begun(self, error: BaseException) -> None:
        self._busy = False
        self._turn(self.watch.state if self.watch is not None else "")
        self._standing.tell(self.watch, self.state)
        name = str(error).partition(" ")[0]
        if isinstance(error, BadInputError) and name in self.form.widget.values:
            self.form.complain(name, str(error))
            return
        self.fail(error)

    def _wait(self, words: str) -> None:
        self.errors.clear()
        self._busy = True
        self._turn("starting")
        self._standing.say(words, active=True)

    def _on_artifact(self, _change: Any) -> None:
        chosen = self.session.artifact
        if self.state not in GOING_ON and chosen != self.form.values["artifact"] and can_be_swept(chosen):
            self.form.write({"artifact": chosen})

    def _on_form(self) -> None:
        self._tell_buttons()
        if not self.form.valid:
            self.form.axes.note = ""
            return
        plan = SweepPlan.parse(self.form.values)
        points = _("{n} points").format(n=plan.count)
        self.form.axes.note = points
        if not plan.artifact:
            self.form.axes.note = _("{points}; train or choose a model to begin").format(points=points)
            return
        workspace = self.session.workspace
        self.latest(
            lambda _outdated: price(plan, workspace), self._priced, self._unpriced, topic="price",
            pause=_PAUSE_BEFORE_PRICING,
        )  # fmt: skip

    def _priced(self, cost: Estimate | None) -> None:
        if cost is None:
            return
        how = _("from earlier runs here") if cost.basis == "measured" else _("a guess: not all of it was run here yet")
        self.form.axes.note = _("{points} points, {jobs} jobs, about {time} ({how})").format(
            points=cost.points, jobs=cost.jobs, time=minutes(cost.seconds), how=how
        )

    def _unpriced(self, error: BaseException) -> None:
        name = str(error).partition(" ")[0]
        if isinstance(error, WorkbenchError) and name in self.form.widget.values:
            self.form.complain(name, str(error))
        elif isinstance(error, WorkbenchError):
            self.form.axes.error = str(error)
        else:
            self.fail(error)

    def _turn(self, state: str) -> None:
        self.state = state
        with self.heading.hold_sync():
            self.heading.chip, self.heading.tone = said(state), TONES.get(state, "accent")
        self._tell_buttons()

    def _tell_buttons(self) -> None:
        values = self.form.values
        self._standing.turn(self.state, ready=self.form.valid and bool(values["artifact"] and values["axes"]))

    def _hear(self) -> None:
        steps = (("start", self.start), ("pause", self.pause), ("cancel", self.cancel), ("resume", self.resume))
        for name, callback in steps:
            self._standing.actions.on_press(name, self.act(callback))
        actions = self._view.actions
        actions.on_press("use", self.guard(self._use))
        actions.on_press("variant", self.guard(self._add_variant))
        for form in ("csv", "html", "py"):
            actions.on_press(form, self.guard(lambda form=form: self._export(form)))

    def _use(self) -> None:
        chosen = self._view.chosen
        if chosen is not None and chosen.variant is not None:
            self._add_variant()
            self.session.artifact = chosen.variant.artifact

    def _add_variant(self) -> None:
        chosen = self._view.chosen
        if chosen is not None and chosen.variant is not None:
            self.session.add_variant(chosen.label, chosen.variant.artifact)

    def _export(self, form: str) -> None:
        if self.watch is not None:
            handle = self.watch.handle
            self.in_background(lambda: exported(handle, form), lambda file: self._download.offer(*file))
