"""The drill: an incident caused on purpose, its timeline as it happens, and what it teaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from workbench.core.language import _
from workbench.core.records import DrillReport
from workbench.core.settings import Settings
from workbench.jobs import Job, submit
from workbench.panels.base import grid, stack
from workbench.panels.form import Form
from workbench.panels.parts.run_view import GOING_ON
from workbench.panels.parts.serving_plan import like
from workbench.panels.session import give_way
from workbench.pipeline.drill.settings import DrillSettings
from workbench.widgets.action_bar import ActionBar
from workbench.widgets.progress import Progress
from workbench.widgets.remarks import Remarks
from workbench.widgets.stat_tiles import StatTiles
from workbench.widgets.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.core.events import Event
    from workbench.panels.base import Panel

STAGE = "workbench.pipeline.drill.verb:run_stage"
KINDS = {"fault": "bad", "alarm": "warn", "reaction": "accent", "restored": "good", "cleared": "good"}


class DrillPlan(Settings):
    """Which incident, and how it goes."""

    fault: str = Field(default="bad_version", description="what goes wrong")
    rate: float = like(DrillSettings, "rate")
    dataset: str = like(DrillSettings, "dataset")
    quiet_seconds: float = like(DrillSettings, "quiet_seconds")
    notice_seconds: float = like(DrillSettings, "notice_seconds")
    restore_seconds: float = like(DrillSettings, "restore_seconds")
    seed: int = like(DrillSettings, "seed")


class DrillView:
    """Starts a drill as a job and follows it.

    Attributes:
        widget: What is put on the page.
        report: What came of the last one; None before.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._job: Job | None = None
        self._state = ""
        self._forget: Callable[[], None] | None = None
        self.report: DrillReport | None = None
        self.form = Form(
            DrillPlan,
            values=DrillPlan().model_dump(),
            looks={
                "fault": {"label": _("What goes wrong"), "kind": "choice", "choices": _faults()},
                "rate": {"label": _("Requests a second")},
            },
            shown=("fault", "rate"),
            label=_("Drill"),
        )
        self._bar = ActionBar(
            label=_("Drill"),
            actions=[
                {"name": "drill", "label": _("Run the drill"),
                 "tooltip": _("On a server of its own, with clients of its own; nothing of yours is touched")},
                {"name": "cancel", "label": _("Cancel"), "shown": False},
            ],
        )  # fmt: skip
        self._bar.on_press("drill", panel.act(self.start))
        self._bar.on_press("cancel", panel.act(self.cancel))
        self._line = Progress(
            label=_("Drill"), text=_("A drill has a server and clients of its own; nothing of yours is touched")
        )
        self._timeline = Timeline(title=_("What happens"), empty=_("Nothing has happened yet"))
        self._tiles = StatTiles(label=_("What came of it"))
        self._lesson = Remarks(title=_("What it teaches"))
        self.widget = grid(
            "aside",
            stack(self.form.widget, self._bar),
            stack(self._line, self._tiles, self._timeline, self._lesson),
        )
        self.form.on_change(panel.guard(self._buttons))
        self._buttons()

    def attach(self, what: object) -> None:
        """A drill is of no server but its own."""

    def start(self) -> None:
        """Ask for the drill that the form describes; returns at once."""
        plan = self.form.read().model_dump()
        if self._state in ("preparing", *GOING_ON):
            return
        self._panel.errors.clear()
        self.report, self._state = None, "preparing"
        self._timeline.moments, self._tiles.tiles, self._lesson.items = [], [], []
        self._say(_("The model that is served is trained and converted"), active=True)
        self._buttons()
        self._panel.in_background(lambda: self._submit(plan), self._attach, self._failed)

    def cancel(self) -> None:
        """End the drill; its server ends with it."""
        if self._job is not None:
            self._job.cancel()

    def _submit(self, plan: dict[str, Any]) -> Job:
        from workbench.convert.run import convert
        from workbench.datasets import load_dataset
        from workbench.train.fit import train

        workspace = self._panel.session.workspace
        # The drill finds these done: a job that waits for others would need a place in the cluster beside theirs.
        data = load_dataset(plan["dataset"], workspace=workspace)
        model = train(data, recipe="docs", seed=plan["seed"], workspace=workspace)
        convert(model, "onnx", dataset=data, workspace=workspace)
        asked = {name: value for name, value in plan.items() if name != "fault"}
        settings = {"fault": plan["fault"], "drill": DrillSettings.parse(asked).model_dump()}
        # The same incident again is another incident.
        job = submit(STAGE, settings, kind="drill", workspace=workspace, reuse=False)
        give_way(workspace)
        return job

    def _attach(self, job: Job) -> None:
        if self._forget is not None:
            self._forget()
        self._job, self._state = job, "queued"
        self._say(_("Waiting for a worker"), active=True)
        self._forget = self._panel.follow(job, self._on_news)

    def _on_news(self, events: Sequence[Event], state: str) -> None:
        assert self._job is not None
        moments = [event.data for event in events if event.type == "moment"]
        self._timeline.add(_moment(data) for data in moments)
        if moments:
            self._say(moments[-1]["words"], active=state in GOING_ON)
        elif state == "running" and self._state != "running":
            self._say(_("The drill's server starts"), active=True)
        if state != self._state:
            self._state = state
            self._buttons()
            if state == "done":
                self._show(DrillReport.from_json(self._job.value()))
            elif state not in GOING_ON:
                self._say(_("The drill did not come to its end"), tone="bad")
                if state == "failed":
                    self._job.value()  # raises what it failed with, for the strip

    def _show(self, report: DrillReport) -> None:
        self.report = report
        self._timeline.show(_moment(moment.to_json()) for moment in report.timeline)
        self._tiles.tiles = _tiles(report)
        self._lesson.items = [{"topic": report.title, "text": report.lesson}]
        words = _("Passed: noticed, mended, and no client went without an answer")
        missed = _("Not passed: see what was not noticed, not mended, or not answered")
        self._say(words if report.passed else missed, tone="good" if report.passed else "warn")

    def _failed(self, error: BaseException) -> None:
        self._state = ""
        self._say(_("Not started"))
        self._buttons()
        self._panel.fail(error)

    def _say(self, text: str, *, active: bool = False, tone: str = "accent") -> None:
        with self._line.hold_sync():
            self._line.text, self._line.active, self._line.tone = text, active, tone
            self._line.share = -1.0 if active else 0.0

    def _buttons(self) -> None:
        busy = self._state in ("preparing", *GOING_ON)
        with self._bar.hold_sync():
            self._bar.change("drill", enabled=not busy and self.form.valid)
            self._bar.change("cancel", shown=self._state in GOING_ON)


def _faults() -> list[dict[str, str]]:
    from workbench.pipeline.drill.faults.base import faults

    titles = {name: faults.get(name).title.capitalize() for name in faults.names()}
    return [{"value": name, "label": _(title)} for name, title in titles.items()]


def kind_of(kind: str) -> str:
    """Return what people call a kind of moment."""
    return {
        "begun": _("begun"), "fault": _("fault"), "alarm": _("alarm"), "reaction": _("reaction"),
        "restored": _("restored"), "cleared": _("over"), "ended": _("ended"),
    }[kind]  # fmt: skip


def _moment(data: dict[str, Any]) -> dict[str, Any]:
    return {
        "time": f"{data['seconds']:.1f} s",
        "kind": kind_of(data["kind"]),
        "tone": KINDS.get(data["kind"], "quiet"),
        "words": data["words"],
    }


def _tiles(report: DrillReport) -> list[dict[str, str]]:
    def said(seconds: float | None) -> str:
        return _("never") if seconds is None else f"{seconds:.1f} s"

    return [
        {"label": _("Noticed after"), "value": said(report.noticed_seconds), "detail": _("from the fault on")},
        {
            "label": _("Reacted after"),
            "value": "–" if report.reaction_seconds is None else said(report.reaction_seconds),
            "detail": _("nothing was to be done") if report.reaction_seconds is None else _("from the alarm on"),
        },
        {"label": _("As before after"), "value": said(report.restored_seconds), "detail": _("from the fault on")},
        {
            "label": _("Without an answer"),
            "value": f"{report.failed:,}",
            "detail": _("of {n} requests").format(n=f"{report.requests:,}"),
        },
    ]
