"""The server that a session shows: one of those that run, chosen here or by another panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from workbench.core.language import _
from workbench.core.settings import Settings
from workbench.panels.form import Form
from workbench.panels.parts.servers import ServerName, choices_of
from workbench.panels.parts.versions_view import with_choices

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.panels.base import Panel
    from workbench.panels.parts.servers import RunningServer, Servers
    from workbench.serve.handle import Sandbox


class ServerChoice(Settings):
    """Which of the workspace's servers is shown."""

    server: ServerName = Field(default="", description="a server of this workspace that runs, whoever started it")


class ChosenServer:
    """A choice, and the handle that belongs to it.

    Attributes:
        form: The choice.
        server: Its handle; None while there is none.
    """

    def __init__(
        self, panel: Panel, servers: Servers, asking: Callable[[], None], attached: Callable[[Sandbox | None], None]
    ) -> None:
        """Show none yet.

        Args:
            panel: Whose session it is.
            servers: Where handles come from.
            asking: Called when a server is asked whether it is there.
            attached: Called with the handle of what is shown from now on.
        """
        self.server: Sandbox | None = None
        self._panel, self._servers, self._asking, self._attached = panel, servers, asking, attached
        self._running: tuple[RunningServer, ...] = ()
        self.form = Form(
            ServerChoice,
            values={"server": panel.session.server},
            looks={
                "server": {
                    "kind": "choice",
                    "choices": [],
                    "label": _("Server"),
                    "optional": True,
                    "placeholder": _("none runs"),
                }
            },
            shown=("server",),
            label=_("Server that is shown"),
        )
        self.form.on_change(panel.guard(self._on_choice))
        panel.session.observe(panel.guard(lambda _change: self.follow()), "server")

    def offer(self, running: tuple[RunningServer, ...]) -> None:
        """Offer the servers that run; what is shown is offered also when it has ended."""
        known = {each.run for each in running}
        if running == self._running and self.form.values["server"] in known:
            return
        self._running = running
        with_choices(self.form, "server", choices_of(running, self.server))

    def begin(self, server: Sandbox) -> None:
        """Show a server that was just started."""
        self._servers.add(server)
        self.server, self._running = server, ()
        with_choices(self.form, "server", choices_of(self._running, server))
        self._panel.session.server = server.folder.name
        self.form.write({"server": server.folder.name})
        self._attached(server)

    def follow(self) -> None:
        """Show the session's server."""
        run = self._panel.session.server
        if self.server is not None and self.server.folder.name == run:
            return
        if (self.form.values["server"] or "") != run:
            self.form.write({"server": run})
        if run:
            self._asking()
            self._panel.in_background(lambda: self._servers.handle(run), self._on_handle, self._not_there)
        elif self.server is not None:
            self.server = None
            self._attached(None)

    def _on_choice(self) -> None:
        self._panel.session.server = str(self.form.values["server"] or "")

    def _on_handle(self, server: Sandbox) -> None:
        if self._panel.session.server == server.folder.name:
            self.server = server
            self._attached(server)

    def _not_there(self, error: BaseException) -> None:
        self._panel.session.server = ""
        if self.server is None:
            self._attached(None)
        self._panel.fail(error)
