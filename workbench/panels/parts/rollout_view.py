"""A new version tried on live requests: for a share of the clients, or as a shadow that none of them sees."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from workbench.core.errors import WorkbenchError
from workbench.core.language import _
from workbench.core.settings import Settings
from workbench.panels.base import grid, stack
from workbench.panels.form import Form
from workbench.panels.parts.doing import Doing
from workbench.panels.parts.run_view import percent
from workbench.panels.parts.serving_plan import like
from workbench.panels.parts.versions_view import with_choices
from workbench.serve.rollout.settings import RolloutRule, RolloutSettings
from workbench.widgets.action_bar import ActionBar
from workbench.widgets.data_table import DataTable
from workbench.widgets.stat_tiles import StatTiles

if TYPE_CHECKING:
    from workbench.core.records.rollout import RolloutReport, RolloutSide
    from workbench.panels.base import Panel
    from workbench.panels.parts.servers import Servers
    from workbench.serve.handle import Sandbox

_RULE = ("min_pairs", "min_agreement", "max_latency_ratio", "max_error_rate", "min_requests")


class RolloutPlan(Settings):
    """Which version is tried, on whom, and what decides."""

    version: int | None = Field(default=None, ge=0, description="version of the store that is tried")
    way: Literal["canary", "shadow"] = Field(
        default="canary",
        description="canary: some clients get its answers; shadow: it gets copies and nobody sees them",
    )
    percent: float = like(RolloutSettings, "percent")
    decides: bool = Field(default=False, description="the rule promotes or aborts by itself, once it is sure")
    pairs_percent: float = like(RolloutSettings, "pairs_percent")
    sticky: str = like(RolloutSettings, "sticky")
    min_pairs: int = like(RolloutRule, "min_pairs")
    min_agreement: float = like(RolloutRule, "min_agreement")
    max_latency_ratio: float = like(RolloutRule, "max_latency_ratio")
    max_error_rate: float = like(RolloutRule, "max_error_rate")
    min_requests: int = like(RolloutRule, "min_requests")


class RolloutView:
    """Starts a rollout, compares both versions while it runs, promotes or aborts.

    Attributes:
        widget: What is put on the page.
        report: How it stands; None where there was none.
    """

    def __init__(self, panel: Panel, servers: Servers) -> None:
        self._panel, self._servers = panel, servers
        self._server: Sandbox | None = None
        self.report: RolloutReport | None = None
        self.form = Form(
            RolloutPlan,
            values=RolloutPlan().model_dump(),
            looks=_looks(),
            shown=("version", "way", "percent", "decides"),
            label=_("Rollout"),
        )
        self._bar = self._actions()
        self.doing = Doing(panel, self._buttons, label=_("Rollout"), empty=_NONE())
        self._tiles = StatTiles(label=_("Comparison"))
        self._table = DataTable(title=_("Both versions on the same requests"), columns=_columns())
        self.widget = grid(
            "aside", stack(self.form.widget, self._bar), stack(self.doing.line, self._tiles, self._table)
        )
        self.form.on_change(panel.guard(self._buttons))
        self._buttons()

    def attach(self, server: Sandbox | None) -> None:
        """Show another server's."""
        self._server = server
        self._clear()
        self._buttons()

    def gather(self, server: Sandbox) -> tuple[list[int], RolloutReport | None]:
        """Ask the server; blocks."""
        versions = [each.version for each in self._servers.store().stored(server.name)]
        report = None
        with contextlib.suppress(WorkbenchError):  # there was none
            report = server.comparison()
        return versions[::-1], report

    def show(self, found: tuple[list[int], RolloutReport | None]) -> None:
        """Show what was gathered."""
        versions, report = found
        with_choices(self.form, "version", [{"value": version, "label": str(version)} for version in versions])
        if report is None:
            self._clear()
        elif report != self.report and not self.doing.busy:
            self._show(report)
        self._buttons()

    def _show(self, report: RolloutReport) -> str:
        self.report = report
        self._tiles.tiles = _tiles(report)
        self._table.rows = [
            _row(report.stable, _("answers the rest")), _row(report.canary, _("is tried")),
        ]  # fmt: skip
        words = _words(report)
        self.doing.say(words, tone={"promoted": "good", "aborted": "warn"}.get(report.state, "accent"))
        return words

    def _clear(self) -> None:
        if self.report is not None:
            self.report, self._tiles.tiles, self._table.rows = None, [], []
            self.doing.say(_NONE())

    def _start(self) -> None:
        server, plan = self._server, self.form.read().model_dump()
        assert server is not None
        rule = RolloutRule.parse({name: plan[name] for name in _RULE}) if plan["decides"] else None
        self.doing.do(
            _("The version is loaded beside the one that answers"),
            lambda: server.rollout(
                plan["version"], plan["percent"], shadow=plan["way"] == "shadow", sticky=plan["sticky"],
                pairs_percent=plan["pairs_percent"], rule=rule,
            ),
            self._show,
        )  # fmt: skip

    def _promote(self) -> None:
        server = self._server
        assert server is not None
        self.doing.do(_("Promoting the new version"), server.promote, self._show)

    def _abort(self) -> None:
        server = self._server
        assert server is not None
        self.doing.do(_("Going back to the version before"), server.abort, self._show)

    def _buttons(self) -> None:
        free = self._server is not None and not self.doing.busy
        runs = self.report is not None and self.report.state == "running"
        with self._bar.hold_sync():
            ready = free and not runs and self.form.valid and self.form.values["version"] is not None
            self._bar.change("rollout", enabled=ready)
            self._bar.change("promote", enabled=free and runs)
            self._bar.change("abort", enabled=free and runs)

    def _actions(self) -> ActionBar:
        bar = ActionBar(
            label=_("Rollout"),
            actions=[
                {"name": "rollout", "label": _("Try it"), "tooltip": _("Some requests go to the new version")},
                {"name": "promote", "label": _("Promote"), "tooltip": _("The new version answers all requests")},
                {"name": "abort", "label": _("Abort"), "tooltip": _("The version before answers all requests")},
            ],
        )
        for name, callback in (("rollout", self._start), ("promote", self._promote), ("abort", self._abort)):
            bar.on_press(name, self._panel.act(callback))
        return bar


def _NONE() -> str:  # noqa: N802
    return _("No version is being tried")


def _looks() -> dict[str, dict[str, Any]]:
    ways = [{"value": "canary", "label": _("Canary")}, {"value": "shadow", "label": _("Shadow")}]
    return {
        "version": {
            "label": _("Version to try"),
            "kind": "choice",
            "choices": [],
            "placeholder": _("none"),
        },
        "way": {"label": _("How"), "choices": ways, "half": True},
        "percent": {"label": _("Requests"), "unit": "%", "half": True},
        "decides": {"label": _("A rule decides")},
        "pairs_percent": {"unit": "%"},
    }


def _words(report: RolloutReport) -> str:
    values = {
        "new": report.canary.version, "old": report.stable.version, "percent": f"{report.percent:g}",
        "reason": report.reason or "–",
    }  # fmt: skip
    if report.state == "promoted":
        return _("Version {new} was promoted: {reason}").format(**values)
    if report.state == "aborted":
        return _("Version {new} was aborted: {reason}").format(**values)
    if report.shadow:
        return _("Version {new} gets copies of {percent} % of the requests; clients see version {old}").format(**values)
    return _("Version {new} answers {percent} % of the requests, version {old} the others").format(**values)


def _tiles(report: RolloutReport) -> list[dict[str, str]]:
    agreement, ratio = report.agreement, report.latency_ratio
    interval = "" if agreement is None else f"[{percent(agreement.low)}, {percent(agreement.high)}]"
    measured = _("measured on {n} pairs").format(n=report.pairs)
    return [
        {
            "label": _("Same answer"),
            "value": "–" if agreement is None else percent(agreement.value),
            "detail": f"{interval} {measured}".strip(),
        },
        {
            "label": _("Mean difference"),
            "value": "–" if report.mean_difference is None else f"{report.mean_difference:.2g}",
            "detail": _("of the output values"),
        },
        {
            "label": _("Times as slow"),
            "value": "–" if ratio is None else f"{ratio:.2f}",
            "detail": _("p95 of the new over the other's"),
        },
        {"label": _("Copies dropped"), "value": str(report.dropped), "detail": _("the server was busy")},
    ]


def _row(side: RolloutSide, what: str) -> dict[str, Any]:
    return {
        "version": f"{side.version}  ·  {what}",
        "requests": side.requests,
        "errors": side.errors,
        "p50": side.p50_ms,
        "p95": side.p95_ms,
    }


def _columns() -> list[dict[str, Any]]:
    return [
        {"name": "version", "label": _("Version")},
        {"name": "requests", "label": _("Requests"), "format": "int"},
        {"name": "errors", "label": _("Errors"), "format": "int"},
        {"name": "p50", "label": _("p50, ms"), "format": "number"},
        {"name": "p95", "label": _("p95, ms"), "format": "number"},
    ]
