"""The training runs of a workspace beside one another: a table, and the curves of those that are ticked."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.core.artifact import Artifact
from workbench.core.errors import WorkbenchError
from workbench.core.language import _
from workbench.core.records import LearningCurve
from workbench.jobs import Job
from workbench.panels.base import stack
from workbench.widgets.action_bar import ActionBar
from workbench.widgets.data_table import DataTable
from workbench.widgets.live_chart import LiveChart

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.core.workspace import Workspace

_MOST_RUNS = 50
_MOST_CURVES = 4


class Trained(NamedTuple):
    """A finished run: its row of the table, its curve and its model."""

    row: dict[str, Any]
    curve: LearningCurve
    artifact: str


def trained_in(workspace: Workspace) -> list[Trained]:
    """Read the newest finished training runs of a workspace; one that cannot be read is left out."""
    found = []
    for folder in workspace.list_runs("train")[:_MOST_RUNS]:
        with contextlib.suppress(WorkbenchError, OSError, KeyError, ValueError):
            job = Job(folder)
            if job.state == "done":
                found.append(_read(job))
    return found


class RunCompare:
    """A table of finished runs, and the validation curves of the ticked ones over one another.

    Attributes:
        widget: What is put on the page.
        table: The runs.
        chart: The curves.
    """

    def __init__(self) -> None:
        self._runs: dict[str, Trained] = {}
        self.table = DataTable(
            title=_("Finished runs"), columns=_columns(), selectable=True, empty=_("Finished runs appear here")
        )
        self.chart = LiveChart(
            title=_("Validation accuracy"), x_label=_("epoch"), y_label=_("share right"), y_format="percent",
            x_range=[0, None], y_range=[None, 1], height=220, empty=_("Tick up to four runs with a validation split"),
        )  # fmt: skip
        self._actions = ActionBar(
            label=_("Finished runs"),
            actions=[{"name": "use", "label": _("Use the ticked model"), "enabled": False,
                      "tooltip": _("The other panels go on with it; tick one run")}],
        )  # fmt: skip
        self._choice = stack(self._actions, self.chart)
        self._choice.layout.display = "none"  # until there is something to choose
        self.widget = stack(self.table, self._choice)

    def on_tick(self, guarded: Callable[[Callable[..., None]], Callable[..., None]]) -> None:
        """Draw whenever runs are ticked, in a callback that is wrapped so."""
        self.table.observe(guarded(lambda _change: self.draw()), "selected")

    def on_use(self, callback: Callable[..., None]) -> None:
        """Call back when somebody wants the ticked run's model."""
        self._actions.on_press("use", callback)

    @property
    def chosen(self) -> str:
        """Folder of the ticked run's model; empty unless one is ticked."""
        ticked = self._ticked()
        return ticked[0].artifact if len(ticked) == 1 else ""

    def show(self, runs: Sequence[Trained]) -> None:
        """Show these runs; what was ticked and is still there stays so."""
        self._runs = {run.row["key"]: run for run in runs}
        self.table.rows = [run.row for run in runs]
        self._choice.layout.display = None if runs else "none"
        self.draw()

    def tick(self, runs: Sequence[str]) -> None:
        """Tick these runs and no others; those that are not in the table yet, when they are."""
        self.table.selected = list(runs)

    def draw(self) -> None:
        """Draw the curves of what is ticked, the newest four."""
        drawn = self._ticked()[:_MOST_CURVES]
        with self.chart.hold_sync():
            self.chart.series = [
                {"name": run.row["key"], "style": "points", "color": i, "count": 0} for i, run in enumerate(drawn)
            ]
            self.chart.show({run.row["key"]: _points(run.curve) for run in drawn})
        self._actions.change("use", enabled=bool(self.chosen))

    def _ticked(self) -> list[Trained]:
        return [run for key, run in self._runs.items() if key in self.table.selected]


def _points(curve: LearningCurve) -> tuple[list[int], list[float]]:
    known = [(point.epoch, point.val_accuracy) for point in curve.points if point.val_accuracy is not None]
    return [epoch for epoch, _share in known], [share for _epoch, share in known]


def _read(job: Job) -> Trained:
    value = job.value()
    made = Artifact.load(value["artifact"])
    row = {
        "key": job.id,
        "data": job.settings["dataset"]["name"],
        **{name: job.settings[name] for name in ("architecture", "recipe", "seed")},
        **{name: made.metrics.get(name) for name in ("epochs", "val_accuracy", "parameters", "seconds")},
    }
    return Trained(row, LearningCurve.from_json(value["curve"]), value["artifact"])


def _columns() -> list[dict[str, Any]]:
    return [
        {"name": "key", "label": _("Run")},
        {"name": "data", "label": _("Data")},
        {"name": "architecture", "label": _("Network")},
        {"name": "recipe", "label": _("Recipe")},
        {"name": "seed", "label": _("Seed"), "format": "int"},
        {"name": "epochs", "label": _("Epochs"), "format": "int"},
        {"name": "val_accuracy", "label": _("Validation accuracy"), "format": "share"},
        {"name": "parameters", "label": _("Parameters"), "format": "int"},
        {"name": "seconds", "label": _("Seconds"), "format": "number"},
    ]
