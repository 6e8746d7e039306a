"""Serve: a server from a model, its versions, a request, a load, its log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workbench.core.artifact import Artifact
from workbench.core.language import N_, _
from workbench.panels.base import Panel, Session, grid, stack
from workbench.panels.form import Form
from workbench.panels.parts.chosen_server import ChosenServer
from workbench.panels.parts.load_view import LoadView
from workbench.panels.parts.log_view import LogView
from workbench.panels.parts.request_view import RequestView
from workbench.panels.parts.rollout_view import RolloutView
from workbench.panels.parts.sections import Sections, View
from workbench.panels.parts.server_view import BEFORE_READY, ENDED, TONES, ServerView, chip_of
from workbench.panels.parts.servers import Servers
from workbench.panels.parts.serving_plan import (
    SHOWN,
    ServePlan,
    asked_of_serve,
    code_of,
    defaults,
    looks,
    models_to_serve,
    note_on,
    plan_in,
)
from workbench.panels.parts.versions_view import VersionsView
from workbench.widgets.action_bar import ActionBar

if TYPE_CHECKING:
    from workbench.core.workspace import Workspace
    from workbench.serve.handle import Sandbox

_SECONDS_BETWEEN_LOOKS = 1.0


class ServePanel(Panel):
    """A server from a cell; closing the panel stops none."""

    title: ClassVar[str] = N_("Serve")
    subtitle: ClassVar[str] = N_("A server on this machine that speaks as TensorFlow Serving does.")
    verb: ClassVar[str] = "serve"

    def __init__(
        self, session: Session | None = None, *, artifact: str | None = None, workspace: Workspace | None = None
    ) -> None:
        super().__init__(session, artifact=artifact, workspace=workspace)
        self._servers = Servers.of(self.session)
        self._watching = self._looking = self._starting = self._stopping = False
        offered = models_to_serve(self.session)
        self.form = Form(
            ServePlan,
            values={**defaults(), "artifact": offered[0]["value"] if offered else ""},
            looks=looks(offered),
            shown=SHOWN,
            label=_("Server settings"),
        )
        self._chosen = ChosenServer(self, self._servers, self._on_asking, self._on_attached)
        self._start_bar, self._bar = self._buttons()
        self._view = ServerView(self._servers)
        self._sections = self._build_sections()
        self._arrange(
            grid("aside", stack(self.form.widget, self._start_bar),
                 stack(grid("form-row", self._chosen.form.widget, self._bar), self._view.widget)),
            self._sections.widget,
        )  # fmt: skip
        self.form.on_change(self.guard(self._on_form))
        self.session.observe(self.guard(lambda _change: self._on_models()), ["artifact", "variants"])
        self._code.title = _("Starting the server in Python")
        self._on_form()
        self._chosen.follow()

    @property
    def server(self) -> Sandbox | None:
        """The handle of the server that is shown; None while none is."""
        return self._chosen.server

    def code(self) -> str:
        """Return the Python that starts the same server."""
        return code_of(self.settings.model_dump())

    @classmethod
    def _settings_in(cls, text: str) -> dict[str, Any]:
        return plan_in(text)

    def start(self) -> None:
        """Start the server that the form describes, and show it; returns at once.

        Raises:
            BadInputError: A value breaks its rule.
        """
        from workbench.serve.sandbox import serve

        plan = self.settings.model_dump()
        if self._starting:
            return
        self.errors.clear()
        self._starting = True
        self._enable()
        self._view.say(_("The model is put into the store, and the server starts"), active=True)
        workspace, asked = self.session.workspace, asked_of_serve(plan)

        def work() -> Sandbox:
            model = Artifact.load(plan["artifact"])
            server: Sandbox = serve(model, plan["name"], workspace=workspace, wait=False, **asked)
            return server

        self.in_background(work, self._on_started, self._not_started)

    def stop(self) -> None:
        """Stop the server that is shown: what it was asked is answered, then it is gone; returns at once."""
        server = self.server
        if server is None or self._stopping:
            return
        self._stopping = True
        self._enable()
        self.in_background(server.stop, lambda _none: self._on_stopped(), self._not_stopped)

    def refresh(self) -> None:
        """Look at the servers of the workspace, and go on looking while a page is open."""
        if not self._watching and self.session.presence.watched:
            self._watching = True
            self.session.live.watch(self.guard(self._look_if_watched), _SECONDS_BETWEEN_LOOKS)
        self._offer_models()
        self._look()

    def _look_if_watched(self) -> None:
        if self.session.presence.watched:
            self._look()

    def _look(self) -> None:
        if self._looking:
            return  # the last look is not back yet
        self._looking = True
        server, section = self.server, self._sections.current
        gone = server is not None and server.state in (*BEFORE_READY, *ENDED)

        def work() -> tuple[Any, ...]:
            running = self._servers.running()
            standing = None if server is None else self._view.gather(server)
            # Of one that is not up only the log tells.
            told = section.gather(server) if server is not None and (not gone or section is self._log) else None
            return running, standing, told

        def shown(found: tuple[Any, ...]) -> None:
            self._looking = False
            running, standing, told = found
            self._chosen.offer(running)
            if server is None or server is not self.server:
                return  # another one was chosen meanwhile
            self._view.show(server, standing)
            self._say_state(standing.state)
            if told is not None:
                section.show(told)

        def failed(error: BaseException) -> None:
            self._looking = False
            self.fail(error)

        self.in_background(work, shown, failed)

    def _on_asking(self) -> None:
        self._view.say(_("Asking the server"), active=True)

    def _on_attached(self, server: Sandbox | None) -> None:
        self._view.attach(server)
        for section in self._sections.every:
            section.attach(server)
        self._say_state("" if server is None else server.state)
        self._look()

    def _on_started(self, server: Sandbox) -> None:
        self._starting = False
        self._chosen.begin(server)

    def _not_started(self, error: BaseException) -> None:
        self._starting = False
        self._view.say(_("Not started"))
        self._enable()
        self.fail(error)

    def _on_stopped(self) -> None:
        self._stopping = False
        self._look()
        self._enable()

    def _not_stopped(self, error: BaseException) -> None:
        self._stopping = False
        self._enable()
        self.fail(error)

    def _offer_models(self) -> list[str]:
        choices = models_to_serve(self.session)
        fields = [{**one, "choices": choices} if one["name"] == "artifact" else one for one in self.form.widget.fields]
        self.form.widget.fields = fields
        if choices and not self.form.values["artifact"]:
            self.form.write({"artifact": choices[0]["value"]})
        self._on_form()
        return [choice["value"] for choice in choices]

    def _on_models(self) -> None:
        if self.session.artifact in self._offer_models():
            self.form.write({"artifact": self.session.artifact})

    def _on_form(self) -> None:
        offered = next(one["choices"] for one in self.form.widget.fields if one["name"] == "artifact")
        self.form.widget.notes = {"artifact": note_on(str(self.form.values["artifact"]), offered)}
        self._enable()

    def _say_state(self, state: str) -> None:
        with self.heading.hold_sync():
            self.heading.chip, self.heading.tone = chip_of(state), TONES.get(state, "quiet")
        if state == "failed" and self.server is not None and self.server.error and not self.errors.message:
            self.errors.show(self.server.error, self.server.logs()[-4000:])
        self._enable()

    def _enable(self) -> None:
        self._start_bar.change(
            "start", enabled=self.form.valid and bool(self.form.values["artifact"]) and not self._starting
        )
        lives = self.server is not None and self.server.state not in ENDED
        self._bar.change("stop", enabled=lives and not self._stopping)

    def _buttons(self) -> tuple[ActionBar, ActionBar]:
        start = ActionBar(
            label=_("Server"),
            actions=[{"name": "start", "label": _("Start the server"), "primary": True,
                      "tooltip": _("The model goes into the store, and a process of its own answers")}],
        )  # fmt: skip
        stop = ActionBar(
            label=_("Server that is shown"),
            actions=[{"name": "stop", "label": _("Stop"), "enabled": False,
                      "tooltip": _("What it was asked is answered, then it is gone")}],
        )  # fmt: skip
        start.on_press("start", self.act(self.start))
        stop.on_press("stop", self.act(self.stop))
        return start, stop

    def _build_sections(self) -> Sections[View]:
        versions = VersionsView(self, self._servers, lambda: str(self.form.values["artifact"] or ""))
        self._log = LogView()
        return Sections(
            {
                "versions": (_("Versions"), versions),
                "rollout": (_("Rollout"), RolloutView(self, self._servers)),
                "request": (_("Try a request"), RequestView(self, self._servers)),
                "load": (_("Load test"), LoadView(self, self._servers)),
                "log": (_("Log"), self._log),
            },
            label=_("What is shown of the server"),
            changed=self.guard(self._look),
        )
