"""Finished runs beside one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.panels.parts.run_compare import RunCompare, trained_in

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact
    from workbench.core.workspace import Workspace


def test_a_ticked_run_is_drawn_and_can_be_chosen(workspace: Workspace, trained: Artifact) -> None:
    runs = trained_in(workspace)
    made = next(run for run in runs if run.artifact == str(trained.folder))
    view = RunCompare()
    view.on_tick(lambda callback: callback)
    view.show(runs)
    key = made.row["key"]
    assert (made.row["parameters"], view.chosen) == (trained.metrics["parameters"], "")
    view.table.selected = [key, "no such run"]
    assert view.chosen == str(trained.folder)
    assert [one["name"] for one in view.chart.series] == [key]
    view.table.selected = []
    assert (view.chosen, view.chart.series) == ("", [])
