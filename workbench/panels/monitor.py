"""Monitor: requests, errors, latency, drift and alarms of a server, what happened when, and drills."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.core.errors import WorkbenchError
from workbench.core.language import N_, _
from workbench.datasets import default_dataset
from workbench.panels.base import Panel, Session, grid, stack
from workbench.panels.form import Form
from workbench.panels.parts import moments
from workbench.panels.parts.chosen_data import chosen_by, python_for
from workbench.panels.parts.drift_view import DriftView
from workbench.panels.parts.drill_view import DrillView
from workbench.panels.parts.health_view import HealthView
from workbench.panels.parts.monitor_plan import SHOWN, MonitorPlan, code_of, looks, plan_in
from workbench.panels.parts.rules_view import RulesView
from workbench.panels.parts.sections import Sections, Shown
from workbench.panels.parts.servers import Servers, choices_of, data_of, served_model
from workbench.panels.parts.versions_view import with_choices
from workbench.widgets.timeline import Timeline

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact
    from workbench.core.workspace import Workspace
    from workbench.monitor.drift import Reference
    from workbench.panels.parts.servers import RunningServer
    from workbench.panels.parts.watched import Look, Watched

_SECONDS_BETWEEN_LOOKS = 0.2  # at whether it is time for one
_PAST = 8  # changes of the store that are shown at first


class MonitorPanel(Panel):
    """Watches a server while a page looks; it changes nothing of it.

    Attributes:
        watched: The server that is watched and what was seen of it; None while none is.
    """

    title: ClassVar[str] = N_("Monitor")
    subtitle: ClassVar[str] = N_("How a server does, while this page is open; alarms call you before your users do.")
    verb: ClassVar[str] = "Monitor"

    def __init__(self, session: Session | None = None, *, workspace: Workspace | None = None) -> None:
        super().__init__(session, workspace=workspace)
        self.watched: Watched | None = None
        self._servers = Servers.of(self.session)
        self._watching = self._looking = False
        self._due = 0.0
        self._plan: dict[str, Any] = {}
        self._model: Artifact | None = None
        self._version = self._state = ""
        self._changes = 0
        self.form = Form(
            MonitorPlan,
            values={**MonitorPlan().model_dump(), "server": self.session.server},
            looks=looks(),
            shown=SHOWN,
            label=_("Monitoring"),
        )
        # Rules are a list of their own.
        self.form.widget.fields = [field for field in self.form.widget.fields if field["name"] != "rules"]
        self._health, self._drift, self._drill = HealthView(), DriftView(), DrillView(self)
        self._rules = RulesView(self, self.form)
        self._timeline = Timeline(
            title=_("Timeline"),
            empty=_("Alarms and changes are listed here as they come"),
            newest_first=True,
            height=190,
        )
        self._sections = Sections[Shown](
            {
                "live": (_("Live"), self._health),
                "drift": (_("Drift"), self._drift),
                "rules": (_("Alarms"), self._rules),
                "drill": (_("Drill"), self._drill),
            },
            label=_("What is shown of the server"),
        )
        self._arrange(grid("aside", self.form.widget, stack(self._health.tiles, self._timeline)), self._sections.widget)
        self._code.title = _("Watching the server in Python")
        self.form.on_change(self.guard(self._on_form))
        self.session.observe(self.guard(lambda _change: self._on_server()), "server")

    def code(self) -> str:
        """Return the Python that watches the same server by the same rules."""
        plan = self.settings.model_dump()
        model = self._model
        spec = model.settings.get("dataset") if model is not None else None
        if isinstance(spec, dict):
            data = python_for(chosen_by(spec, self.session.workspace))
        else:
            data = python_for(self.session.dataset or default_dataset(self.session.workspace).name)
        return code_of(plan, str(model.folder) if model is not None else self.session.artifact, data)

    @classmethod
    def _settings_in(cls, text: str) -> dict[str, Any]:
        return plan_in(text)

    def refresh(self) -> None:
        """Look at the server, and go on looking while a page is open."""
        if not self._watching and self.session.presence.watched:
            self._watching = True
            self.session.live.watch(self.guard(self._look_if_due), _SECONDS_BETWEEN_LOOKS)
        self._due = 0.0

    def _look_if_due(self) -> None:
        if self._looking or time.monotonic() < self._due or not self.session.presence.watched:
            return
        plan = self._plan if not self.form.valid else self.settings.model_dump()
        if not plan:
            return
        # Whoever only looks has nothing done.
        plan = {**plan, "react": plan["react"] and self.session.may_act}
        self._looking = True
        self._due = time.monotonic() + plan["seconds"]
        # What was asked otherwise before is asked anew, and what was measured stays.
        kept = self.watched if plan == self._plan else None
        past, self._plan = self.watched, plan

        def work() -> tuple[Any, ...]:
            running = self._servers.running()
            watched = kept or (self._watch(plan, past) if plan["server"] else None)
            return running, watched, watched.look() if watched is not None else None

        self.in_background(work, self._on_looked, self._not_looked)

    def _watch(self, plan: dict[str, Any], past: Watched | None) -> Watched:
        from workbench.panels.parts.watched import Watched

        server = self._servers.handle(plan["server"])
        same = past is not None and past.server is server
        reference = past.reference if same and past is not None and plan["drift"] else None
        watched = Watched(server, plan, self.session.workspace, reference)
        if same and past is not None:
            watched.points.extend(past.points)
            watched.drift = past.drift
        return watched

    def _on_looked(self, found: tuple[tuple[RunningServer, ...], Watched | None, Look | None]) -> None:
        self._looking = False
        running, watched, look = found
        if watched is not None and watched.server.folder.name != self.form.values["server"]:
            return  # another one was chosen meanwhile
        if watched is not None and (self.watched is None or self.watched.server is not watched.server):
            self._begin(watched)
        self.watched = watched
        with_choices(self.form, "server", choices_of(running, None if watched is None else watched.server))
        if watched is not None and look is not None:
            self._show(watched, look)
        elif watched is None:
            self._say(_("not watching"), "quiet")

    def _not_looked(self, error: BaseException) -> None:
        self._looking = False
        self._plan = {}
        self._due = time.monotonic() + 5.0  # it may come back
        if not self.errors.message:
            self.fail(error)

    def _begin(self, watched: Watched) -> None:
        """Forget the server before."""
        self.errors.clear()
        self._version = self._state = ""
        self._changes, self._model = 0, None
        self._timeline.moments = []
        self._health.clear()
        self._drift.clear(
            _("Nothing was compared yet")
            if watched.notes_requests
            else _("This server notes no requests: start one that does, and drift is seen")
        )

    def _show(self, watched: Watched, look: Look) -> None:
        self._health.show(watched, look.report, watched.take_in(look))
        self._rules.show(watched.raised, look.report.facts)
        raised = len(watched.raised)
        self._sections.badge("rules", str(raised) if raised else "")
        happened = [
            moments.of_change(change) for change in look.history[max(self._changes, len(look.history) - _PAST) :]
        ]
        self._changes = len(look.history)
        if look.state != self._state:
            self._state = look.state
            happened += [moment for moment in [moments.of_state(look.state, watched.server.name)] if moment]
        if look.stats is not None and look.stats.version != self._version:
            if self._version:
                happened.append(moments.of_version(look.stats.version))
            self._version = look.stats.version
            if self._plan["drift"] and watched.notes_requests:
                self._measure(watched)
        happened += [moments.of_alarm(event) for event in look.report.events]
        happened += [moments.of_reaction(event) for event in look.done]
        if happened:
            self._timeline.add(happened)
        if look.report.drift is not None:
            self._drift.show(look.report.drift)
            self._sections.badge("drift", "!" if look.report.drift.alarm else "")
        ready = look.state == "ready"
        alarms = _("alarms: {n}").format(n=raised)
        self._say(
            alarms if raised else _("watching") if ready else look.state,
            "bad" if raised else "good" if ready else "warn",
        )

    def _measure(self, watched: Watched) -> None:
        """Measure what requests are compared with: how the training samples look and how the model answers."""
        self._drift.say(_("What the model was trained on is measured, for comparison"), active=True)
        workspace, version = self.session.workspace, self._version

        def work() -> tuple[Artifact, Reference]:
            from workbench.monitor.drift import Reference

            model = served_model(watched.server, self._servers.store())
            return model, Reference.of(model, data_of(model, self.session), workspace=workspace)

        def measured(found: tuple[Artifact, Reference]) -> None:
            self._model, reference = found
            if self.watched is None or self.watched.server is not watched.server or version != self._version:
                return
            self.watched.reference = reference
            self._plan = {}  # the next look is by a monitor that knows it
            self._drift.say(_("Waiting for a window of {n} requests").format(n=self.form.values["window"]))
            self._show_code()

        def failed(error: BaseException) -> None:
            words = str(error) if isinstance(error, WorkbenchError) else f"{type(error).__name__}: {error}"
            self._drift.clear(words)

        self.in_background(work, measured, failed)

    def _on_form(self) -> None:
        self._due = 0.0
        server = str(self.form.values["server"] or "")
        if server != self.session.server:
            self.session.server = server

    def _on_server(self) -> None:
        if (self.form.values["server"] or "") != self.session.server:
            self.form.write({"server": self.session.server})

    def _say(self, chip: str, tone: str) -> None:
        with self.heading.hold_sync():
            self.heading.chip, self.heading.tone = chip, tone
