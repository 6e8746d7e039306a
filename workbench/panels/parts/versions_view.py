"""The versions of a served model: which answer, what they are called, and what can be done with them."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field

from workbench.core.artifact import Artifact
from workbench.core.language import _
from workbench.core.records import Override
from workbench.core.settings import Settings
from workbench.panels.base import grid, stack
from workbench.panels.form import Form
from workbench.panels.parts.doing import Doing
from workbench.panels.parts.moments import change_in_words, gates
from workbench.widgets.action_bar import ActionBar
from workbench.widgets.data_table import DataTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.records import StoreChange
    from workbench.core.records.store import StoredVersion
    from workbench.panels.base import Panel
    from workbench.panels.parts.servers import Servers
    from workbench.serve.handle import Sandbox

LABELS = ("stable", "canary")


class VersionPlan(Settings):
    """What is done with which version."""

    version: int | None = Field(default=None, ge=0, description="version of the store that is given the label")
    label: str = Field(default="stable", description="what the version is to be called")
    why: str = Field(default="", description="who calls a version stable that no gate has passed says why")


class Stored(NamedTuple):
    """What there is of a model now."""

    versions: tuple[StoredVersion, ...]
    answering: tuple[int, ...]
    history: tuple[StoreChange, ...]
    back: int | None


class VersionsView:
    """A table, and what publishes, labels and rolls back.

    Attributes:
        widget: What is put on the page.
    """

    def __init__(self, panel: Panel, servers: Servers, chosen_model: Callable[[], str]) -> None:
        self._panel, self._servers, self._chosen_model = panel, servers, chosen_model
        self._server: Sandbox | None = None
        self._stored: Stored | None = None
        self.form = Form(
            VersionPlan,
            values=VersionPlan().model_dump(),
            looks={
                "version": {
                    "label": _("Version"),
                    "kind": "choice",
                    "choices": [],
                    "placeholder": _("none"),
                },
                "label": {
                    "label": _("Label"),
                    "kind": "choice",
                    "choices": [{"value": name, "label": name} for name in LABELS],
                    "other": {"label": _("Another label…"), "name": _("Label"), "placeholder": "beta"},
                },
                "why": {"label": _("Reason, where no gate passed it"), "placeholder": ""},
            },
            shown=("version", "label", "why"),
            label=_("Versions"),
        )
        self.doing = Doing(panel, self._buttons, label=_("Versions"), empty=_("No server is chosen"))
        self._table = DataTable(title=_("Versions in the store"), columns=_columns(), empty=_("No version yet"))
        self._bar = self._actions()
        self.widget = grid("aside", stack(self.form.widget, self._bar), stack(self.doing.line, self._table))
        self.form.on_change(panel.guard(self._buttons))
        self._buttons()

    def attach(self, server: Sandbox | None) -> None:
        """Show another server's model."""
        self._server, self._stored = server, None
        self._table.rows = []
        self.doing.say("" if server else _("No server is chosen"))
        self._buttons()

    def gather(self, server: Sandbox) -> Stored:
        """Read the store and ask the server; blocks."""
        store = self._servers.store()
        name = server.name
        return Stored(store.stored(name), server.versions, store.history(name), store.before(name))

    def show(self, found: Stored) -> None:
        """Show what was gathered."""
        if found == self._stored:
            return
        self._stored = found
        self._table.rows = [_row(each, found.answering) for each in reversed(found.versions)]
        choices = [{"value": each.version, "label": str(each.version)} for each in reversed(found.versions)]
        with_choices(self.form, "version", choices)
        if found.history and not self.doing.busy:
            self.doing.say(change_in_words(found.history[-1]))
        self._buttons()

    def _publish(self) -> None:
        server, folder = self._server, self._chosen_model()
        assert server is not None
        plan = self.form.read().model_dump()
        # A version that no gate has passed answers all the same; it is only not called stable without a reason.
        label = plan["label"] if plan["why"] or plan["label"] != LABELS[0] else None
        self.doing.do(
            _("A new version is loaded beside the one that answers"),
            lambda: server.publish(Artifact.load(folder), label=label, override=_override(plan["why"])),
            lambda done: _("Version {version} answers").format(version=_listed(done.loaded)),
        )

    def _label(self) -> None:
        server, plan = self._server, self.form.read().model_dump()
        assert server is not None

        def work() -> None:
            self._servers.store().label(server.name, plan["label"], plan["version"], override=_override(plan["why"]))
            server.reload()

        self.doing.do(
            _("The version is tried before it gets the label"),
            work,
            lambda _none: _("{label} means version {version}").format(**plan),
        )

    def _roll_back(self) -> None:
        server, why = self._server, str(self.form.values["why"] or "")
        assert server is not None
        self.doing.do(
            _("Rolling back"),
            lambda: server.rollback(why=why),
            lambda version: _("Version {version} answers again").format(version=version),
        )

    def _buttons(self) -> None:
        free = self._server is not None and not self.doing.busy
        values = self.form.values
        several = self._stored is not None and len(self._stored.versions) > 1
        with self._bar.hold_sync():
            self._bar.change("publish", enabled=free and bool(self._chosen_model()))
            self._bar.change("label", enabled=free and values["version"] is not None and self.form.valid)
            self._bar.change("rollback", enabled=free and several)

    def _actions(self) -> ActionBar:
        bar = ActionBar(
            label=_("Versions"),
            actions=[
                {
                    "name": "publish",
                    "label": _("Publish the chosen model"),
                    "tooltip": _("It becomes the next version and answers; no request fails meanwhile"),
                },
                {
                    "name": "label",
                    "label": _("Put the label"),
                    "tooltip": _("The label means the version from then on"),
                },
                {
                    "name": "rollback",
                    "label": _("Roll back"),
                    "tooltip": _("The version before answers all requests again"),
                },
            ],
        )
        for name, callback in (("publish", self._publish), ("label", self._label), ("rollback", self._roll_back)):
            bar.on_press(name, self._panel.act(callback))
        return bar


def with_choices(form: Form, name: str, choices: list[dict[str, Any]]) -> None:
    """Give a control of a form other choices; a value that is none of them any more becomes the first, or none."""
    fields = [{**field, "choices": choices} if field["name"] == name else field for field in form.widget.fields]
    if fields != form.widget.fields:
        form.widget.fields = fields
    values = [choice["value"] for choice in choices]
    if form.values[name] not in values:
        form.write({name: values[0] if values else None})


def _override(why: str | None) -> Override | None:
    return Override(who=getpass.getuser(), why=why) if why else None


def _listed(loaded: Any) -> str:
    return ", ".join(str(version) for _name, version in loaded)


def _row(stored: StoredVersion, answering: tuple[int, ...]) -> dict[str, Any]:
    return {
        "version": stored.version,
        "answers": _("answers") if stored.version in answering else _("kept"),
        "labels": ", ".join(stored.labels) or "–",
        "gate": gates()[stored.gate],
        "model": f"{stored.format} {stored.numeric}".strip() or "–",
        "created": stored.created[:16].replace("T", " ") or "–",
    }


def _columns() -> list[dict[str, Any]]:
    return [
        {"name": "version", "label": _("Version"), "format": "text"},
        {"name": "answers", "label": _("State"), "tooltip": _("Whether requests are answered by it now")},
        {"name": "labels", "label": _("Labels")},
        {"name": "gate", "label": _("Gate"), "tooltip": _("How it came past its gate")},
        {"name": "model", "label": _("Model")},
        {"name": "created", "label": _("Made, UTC")},
    ]
