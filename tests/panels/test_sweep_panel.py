"""The sweep panel: what is chosen, what it costs, what is shown of a sweep, also of one that others drive."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import workbench.sweep
from workbench.compress.magnitude_pruning import MagnitudePruning
from workbench.compress.post_training import PostTrainingQuantization
from workbench.core.errors import BadInputError
from workbench.panels.parts.budget_sliders import slider
from workbench.panels.parts.sweep_answer import View, answer, comparison
from workbench.panels.parts.sweep_axes import axes_in, rows, space_json
from workbench.panels.parts.sweep_watch import SweepWatch
from workbench.panels.sweep import SweepPanel
from workbench.sweep.folder import SweepFolder
from workbench.sweep.handle import Sweep
from workbench.sweep.space import Choice, Space

sys.path.insert(0, str(Path(__file__).parents[1] / "sweep"))

from points import failed, point

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbench.core.artifact import Artifact
    from workbench.core.records import SweepPoint
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset

POINTS = [point("small", 0.9, 5_000, 1.0), point("mid", 0.95, 10_000, 2.0), point("big", 0.94, 20_000, 3.0)]


@pytest.fixture
def panel(fresh_workspace: Workspace) -> Iterator[SweepPanel]:
    made = SweepPanel(workspace=fresh_workspace)
    yield made
    made.close()


def a_sweep(workspace: Workspace, name: str = "known", points: tuple[SweepPoint, ...] = ()) -> Sweep:
    """Write a sweep as some other process would have."""
    folder = SweepFolder.named(name, workspace)
    folder.begin(
        {
            "space": Space.from_json(space_json({"post_training.numeric": ["int8", "float16"]}, 2)).to_json(),
            "parent": {"folder": "/models/a", "sha256": "0" * 64},
            "dataset": {"name": "digits", "checksum": "1" * 64},
            "settings": {"runs": 50, "share_trajectory": False},
        }
    )
    for each in points:
        folder.append(each)
    return Sweep(folder, workspace)


def settled(panel: SweepPanel, happened: Callable[[], bool]) -> None:
    """Wait until the panel's background work has brought something about."""
    end = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < end, panel.errors.message
        for thread in threading.enumerate():
            if thread.name == "workbench-background" and thread.ident is not None:  # one without is about to start
                thread.join(60)


def test_rows_of_the_matrix_name_declared_settings() -> None:
    for row in rows():
        axes = {row["name"]: [level["value"] for level in row["levels"]]}
        assert Space.from_json(space_json(axes, 2)).count() == len(row["levels"])


def test_what_clicks_make_is_read_back_and_what_they_do_not_is_left_alone() -> None:
    axes = {"post_training.numeric": ["int8"], "magnitude_pruning.sparsity": [0, 0.5]}
    space = Space.from_json(space_json(axes, 7)).to_json()
    assert [step["method"] for step in space["chain"]] == ["magnitude_pruning", "post_training"]
    assert axes_in(space) == {"axes": axes, "epochs": 7}
    assert axes_in(Space(Choice("post_training", "magnitude_pruning")).to_json()) is None
    special = Space(
        (MagnitudePruning(schedule="constant"), PostTrainingQuantization()), {"post_training.numeric": ["int8"]}
    )
    assert axes_in(special.to_json()) is None


def test_a_click_changes_count_and_code(panel: SweepPanel) -> None:
    assert panel.form.axes.note == "6 points; train or choose a model to begin"
    panel.form.axes.chosen = {"weight_clustering.clusters": [8, 16]}
    assert panel.form.axes.note == "2 points; train or choose a model to begin"
    assert "'weight_clustering.clusters': [8, 16]" in panel.code()
    start = next(action for action in panel._standing.actions.actions if action["name"] == "start")
    assert start["enabled"] is False


def test_a_level_that_no_row_has_is_said_and_an_impossible_one_refused(panel: SweepPanel) -> None:
    panel.form.write({"axes": {"magnitude_pruning.sparsity": [0.42], "magnitude_pruning.ramp": [0.5, 1.0]}})
    levels = {row["name"]: [level["value"] for level in row["levels"]] for row in panel.form.axes.rows}
    assert 0.42 in levels["magnitude_pruning.sparsity"]
    assert levels["magnitude_pruning.ramp"] == [0.5, 1.0]
    panel.form.write({"axes": {"magnitude_pruning.sparsity": [1.5]}})
    assert panel.form.axes.error.startswith("axes must make a space (sparsity must")
    assert not panel.form.valid


def test_a_sweep_of_others_is_opened_and_fed_while_it_grows(panel: SweepPanel, fresh_workspace: Workspace) -> None:
    known = a_sweep(fresh_workspace, points=(POINTS[0],))
    panel.refresh()
    assert panel.session.sweep == "known"
    assert panel.form.values["axes"] == {"post_training.numeric": ["int8", "float16"]}
    assert (panel.form.values["runs"], panel.form.values["name"]) == (50, "known")
    settled(panel, lambda: bool(panel._view.figure.figure))
    assert panel._standing.line.text == "1 of 2 points"
    known.folder.append(failed("broken"))
    panel.look()
    assert panel._standing.line.text == "2 of 2 points, 1 failed"
    assert panel._view.failed.items == [{"topic": "broken", "text": "it rained"}]


def test_a_limit_lights_another_point_and_one_that_nothing_keeps_is_said() -> None:
    free = answer(POINTS, View(), {})
    assert free.best is not None
    assert free.best.label == "mid"
    assert free.summary == "3 points; the frontier goes from 90.00 % at 5.0 kB to 95.00 % at 10.0 kB"
    tight = answer(POINTS, View(size=6), {})
    assert tight.best is not None
    assert tight.best.label == "small"
    assert [row["label"] for row in tight.rows if row["frontier"]] == ["small"]
    none = answer(POINTS, View(size=1, accuracy=99), {})
    assert none.best is None
    assert none.sentence.startswith("No point keeps gzip <= 1 kB and accuracy >= 99 %; the nearest is")


def test_a_budget_that_is_dragged_lights_another_point(panel: SweepPanel, fresh_workspace: Workspace) -> None:
    a_sweep(fresh_workspace, points=tuple(POINTS))
    panel.refresh()
    settled(panel, lambda: panel._view.best is not None and panel._view.best.label == "mid")
    sliders = panel._view.budget.widget
    assert [one["name"] for one in sliders.sliders] == ["size", "latency", "accuracy"]
    sizes = [stop["value"] for stop in sliders.sliders[0]["stops"]]
    assert (sizes[0], sizes[-2], sizes[-1]) == (5.0, 20.0, None)
    sliders._handle_custom_msg({"type": "input", "name": "size", "value": 6.0, "generation": 1}, [])
    settled(panel, lambda: panel._view.best is not None and panel._view.best.label == "small")
    assert panel._view.form.values["size"] == 6.0
    panel._view.form.write({"size": 12.34})  # typed: the handle stands at the nearest stop, and says what was typed
    settled(panel, lambda: panel._view.best is not None and panel._view.best.label == "mid")
    assert sliders.values["size"] == 12.34
    sliders._handle_custom_msg({"type": "change", "name": "size", "value": None, "generation": 2}, [])
    assert panel._view.form.values["size"] is None


@pytest.mark.parametrize(
    ("name", "values", "ends"),
    [
        ("accuracy", [90.0, 95.0], (None, 90.0, 95.0)),
        ("latency", [0.02, 1.7], (0.05, 1.7, None)),
        ("size", [14.2], (14.0, 14.5, None)),
    ],
)
def test_sliders_range_over_round_numbers(name: str, values: list[float], ends: tuple[float | None, ...]) -> None:
    stops = [stop["value"] for stop in slider(name, values)["stops"]]
    assert len(stops) <= 54
    if name == "accuracy":
        assert (stops[0], stops[1], stops[-1]) == ends
    else:
        assert (stops[0], stops[-2], stops[-1]) == ends


def test_two_clicks_compare_two_points_and_the_last_one_can_be_used(
    panel: SweepPanel, fresh_workspace: Workspace
) -> None:
    a_sweep(fresh_workspace, points=tuple(POINTS))
    panel.refresh()
    settled(panel, lambda: bool(panel._view.figure.figure))
    for key in ("small", "no such point", "mid"):
        panel._view.figure._handle_custom_msg({"type": "click", "point": {"custom": key}}, [])
    assert panel._view.compared.title == "A: small; B: mid"
    by_figure = {row["figure"]: row for row in panel._view.compared.rows}
    assert by_figure["Accuracy"]["difference"] == "+5.00 pt"
    assert by_figure["Size, gzip'd"]["difference"] == "+5.0 kB (+100 %)"
    panel._view.actions._handle_custom_msg({"type": "press", "name": "use"}, [])
    assert panel.session.artifact == "/nowhere"
    assert panel.session.variants == {"mid": "/nowhere"}
    panel._view.figure._handle_custom_msg({"type": "select", "points": [{"custom": "big"}]}, [])
    assert [row["label"] for row in panel._view.brushed.rows] == ["big"]


def test_differing_axes_are_compared_too() -> None:
    found = comparison(point("a", 0.9, 10, sparsity=0.5), point("b", 0.9, 10, sparsity=0.8))
    assert found[0] == {"figure": "sparsity", "a": "0.5", "b": "0.8", "difference": ""}


def test_a_damaged_file_is_read_again_from_its_beginning(fresh_workspace: Workspace) -> None:
    known = a_sweep(fresh_workspace, points=tuple(POINTS))
    watch = SweepWatch(known, 3)
    assert watch.look()
    assert not watch.look()
    path = known.folder.path / "points.jsonl"
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0] + b'{"half')
    assert watch.look()
    assert list(watch.points) == ["small"]


@pytest.mark.parametrize(
    ("form", "begins"), [("csv", "label,state"), ("py", '"""The sweep known'), ("html", "<!doctype")]
)
def test_a_sweep_is_given_to_the_page_as_a_file(
    panel: SweepPanel, fresh_workspace: Workspace, form: str, begins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_sweep(fresh_workspace, points=tuple(POINTS))
    panel.refresh()
    sent: list[tuple[Any, Any]] = []
    monkeypatch.setattr(panel._download, "send", lambda content, buffers=None: sent.append((content, buffers)))
    panel._view.actions._handle_custom_msg({"type": "press", "name": form}, [])
    settled(panel, lambda: bool(sent))
    [(content, [data])] = sent
    assert content["name"] == f"known.{form}"
    assert data.decode().startswith(begins)


def test_code_of_another_space_is_refused(fresh_workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match="must hold a call of from_json"):
        SweepPanel.from_code("sweep(space, model, data='digits')", workspace=fresh_workspace)


def test_a_viewers_page_looks_and_starts_nothing(fresh_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    a_sweep(fresh_workspace, points=tuple(POINTS))
    monkeypatch.setenv("WORKBENCH_ROLE", "viewer")
    panel = SweepPanel(workspace=fresh_workspace)
    settled(panel, lambda: bool(panel._view.figure.figure))
    for name in ("start", "pause", "cancel", "resume"):
        panel.errors.clear()
        panel._standing.actions._handle_custom_msg({"type": "press", "name": name}, [])
        assert "must be an operator's" in panel.errors.message
    panel.close()
    monkeypatch.delenv("WORKBENCH_ROLE")


@pytest.mark.thorough
def test_a_sweep_is_priced_begun_driven_elsewhere_and_done(
    trained: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    panel = SweepPanel(workspace=workspace)
    axes = {"post_training.numeric": ["float16", "int8"]}
    panel.form.write({"artifact": str(trained.folder), "axes": axes, "runs": 20, "name": "clicked"})
    settled(panel, lambda: "2 points, 2 jobs" in panel.form.axes.note or "3 jobs" in panel.form.axes.note)
    panel.start()
    settled(panel, lambda: panel.session.sweep == "clicked")
    assert panel.watch is not None
    ended = threading.Event()
    panel.session.live.watch(lambda: ended.set() if panel.state == "done" else panel.look(), 0.2)
    assert ended.wait(300), panel.errors.message
    assert [each.state for each in panel.watch.points.values()] == ["done", "done"]
    space = Space.from_json(space_json(axes, 2))
    found = workbench.sweep(space, trained, digits, name="clicked", workspace=workspace, runs=20)
    assert found.run is not None
    panel.close()
