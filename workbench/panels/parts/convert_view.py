"""The conversion panel's map, what is known of the chosen way, and what can be done with its result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.language import _
from workbench.panels.base import stack
from workbench.panels.parts.diff_view import DiffView
from workbench.panels.parts.format_ways import columns, rows
from workbench.widgets.action_bar import ActionBar
from workbench.widgets.data_table import DataTable
from workbench.widgets.download import Download
from workbench.widgets.format_map import FormatMap
from workbench.widgets.progress import Progress
from workbench.widgets.remarks import Remarks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.core.records.formats import Edge


class ConvertView:
    """What is put on the page besides the form.

    Attributes:
        map: The map of formats.
        actions: `convert` and `all`.
        line: How far it is.
        edges: The programs of the chosen way.
        remarks: What programs are known for, or said when they failed.
        results: `download`, `diff` and `use`.
        diff: The difference of two graphs.
        download: Sends files.
        rest: What stands below the map.
    """

    def __init__(self) -> None:
        self.map = FormatMap(
            label=_("Map of formats"),
            columns=[_("This model"), _("becomes: labels equal"), _("and that becomes")],
            empty=_("Train or choose a model, and what it can become stands here."),
        )
        self.actions = ActionBar(
            label=_("Conversion"),
            actions=[
                {"name": "convert", "label": _("Convert"), "primary": True, "enabled": False},
                {"name": "all", "label": _("Convert to all"), "enabled": False,
                 "tooltip": _("Go every open way that was not gone yet")},
            ],
        )  # fmt: skip
        self.line = Progress(label=_("Conversion"))
        self.edges = DataTable(columns=columns())
        self.results = ActionBar(
            label=_("Result"),
            actions=[
                {"name": "download", "label": _("Download"), "enabled": False},
                {"name": "diff", "label": _("Compare the graphs"), "enabled": False,
                 "tooltip": _("What differs between the model and what was made of it")},
                {"name": "use", "label": _("Use this model"), "enabled": False},
            ],
        )  # fmt: skip
        self.diff, self.download = DiffView(), Download()
        self.remarks = Remarks()
        self.rest = stack(self.edges, self.remarks, self.results, self.diff.widget, self.download)

    def show_way(self, label: str, edges: Sequence[Edge]) -> None:
        """Show the programs of a way; none where there is no such way."""
        found = rows(edges)
        with self.edges.hold_sync():
            self.edges.title = label.replace("/", " ") if found else ""
            self.edges.rows = found
        self.remarks.items = [{"topic": row["tool"], "text": row["remark"]} for row in found if row["remark"]]

    def say(self, text: str, *, active: bool = False, share: float = -1.0, tone: str = "accent") -> None:
        """Say how far it is; a share below 0 means that nobody knows."""
        with self.line.hold_sync():
            self.line.text, self.line.active, self.line.tone = text, active, tone
            self.line.share = share if active else 0.0

    def offer(self, *, one: bool, all_: bool, made: bool) -> None:
        """Enable what can be done.

        Args:
            one: The chosen way can be gone.
            all_: Some way was not gone yet.
            made: The chosen way has a result.
        """
        with self.actions.hold_sync():
            self.actions.change("convert", enabled=one)
            self.actions.change("all", enabled=all_)
        with self.results.hold_sync():
            for name in ("download", "diff", "use"):
                self.results.change(name, enabled=made)
