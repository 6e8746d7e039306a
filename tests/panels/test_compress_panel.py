"""The live slider's panel: what follows a finger, what stands beside it, and what is made for good."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from workbench.core.artifact import Artifact
from workbench.core.records import SweepPoint, Variant
from workbench.evaluate.intervals import wilson
from workbench.panels.compress import CompressPanel
from workbench.panels.parts.known_points import KnownPoint, KnownPoints, Line, _sayable, points_of_sweeps
from workbench.panels.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbench.core.workspace import Workspace

LONG = 180


def until(panel: CompressPanel, condition: Callable[[], bool]) -> None:
    """Wait for what traits of the panel show; an error ends the waiting."""
    turned = threading.Event()

    def look(_change: object) -> None:
        if panel.errors.message or condition():
            turned.set()

    layers, closer, answers = panel._layers, panel._closer, panel._answers
    watched = (
        panel.heading, panel.errors, panel._controls.shared, layers.sliders, layers.heat, closer.remarks, closer.flips,
        closer.classes, panel._tuning._progress, answers.tiles, answers.chart,
    )  # fmt: skip
    for widget in watched:
        widget.observe(look)
    look(None)
    assert turned.wait(LONG), (panel.heading.chip, panel._tuning._progress.text)
    assert panel.errors.message == ""


@pytest.fixture(scope="module")
def model(trained: Artifact) -> str:
    return str(trained.folder)


@pytest.fixture
def panel(workspace: Workspace, model: str) -> Iterator[CompressPanel]:
    made = CompressPanel(workspace=workspace, artifact=model)
    until(made, lambda: made.heading.chip == "live" and made.answer is not None)
    yield made
    made.close()


def drag(panel: CompressPanel, name: str, value: float | None, number: int, kind: str = "input") -> None:
    message = {"type": kind, "name": name, "value": value, "generation": number}
    panel._controls.shared._handle_custom_msg(message, [])


def test_a_flood_of_moves_ends_with_the_answer_to_the_last(panel: CompressPanel) -> None:
    numbers: list[int] = []
    panel._controls.shared.observe(lambda change: numbers.append(change.new), "answered")
    for number in range(1, 91):
        drag(panel, "sparsity", number / 100, number)
    drag(panel, "sparsity", 0.9, 91, "change")
    until(panel, lambda: panel._controls.shared.answered == 91 and panel.answer is not None and panel.answer.final)
    assert panel.answer is not None
    assert panel.answer.settings["sparsity"] == 0.9
    assert numbers == sorted(numbers)
    assert panel.settings.sparsity == 0.9
    tile = panel._answers.tiles.tiles[0]
    assert tile["value"] == f"{100 * panel.answer.accuracy.value:.2f} %"
    assert tile["detail"].endswith(f"measured on all {panel.answer.total} test samples")
    assert "sparsity=0.9" in panel._code.code


def test_a_finger_that_lets_go_where_it_rested_is_answered(panel: CompressPanel) -> None:
    drag(panel, "weight_bits", 4, 1)
    until(panel, lambda: panel._controls.shared.answered == 1)
    drag(panel, "weight_bits", 4, 2, "change")
    assert panel._controls.shared.answered == 2


def test_a_coarse_answer_says_on_how_many_it_rests(panel: CompressPanel) -> None:
    seen: list[str] = []
    panel._answers.tiles.observe(lambda change: seen.append(change.new[0]["detail"]), "tiles")
    drag(panel, "weight_bits", 3, 1, "change")
    until(panel, lambda: panel._controls.shared.answered == 1 and panel.answer is not None and panel.answer.final)
    assert panel.answer is not None
    assert any(f"measured on 250 of {panel.answer.total} test samples" in said for said in seen)
    assert "3 bits" in {stop["label"] for stop in panel._controls.shared.sliders[2]["stops"]}


def test_nothing_but_what_the_script_sends_moves_a_slider(panel: CompressPanel) -> None:
    for name, value, number in (("sparsity", "0.5", 1), ("no such", 0.5, 1), ("sparsity", 0.5, "1"), (["a"], 0.5, 1)):
        drag(panel, name, value, number)  # type: ignore[arg-type]
    assert panel.settings.sparsity == 0
    drag(panel, "sparsity", 5.0, 2)
    assert not panel.form.valid
    assert panel.errors.message == ""
    drag(panel, "sparsity", 0.5, 3)
    assert panel.settings.sparsity == 0.5


def test_a_layer_has_a_sparsity_of_its_own_until_it_follows_again(panel: CompressPanel) -> None:
    layer = panel._layers.sliders.sliders[1]["name"]
    leaf = panel._layers.sliders
    drag(panel, "sparsity", 0.5, 1)
    leaf._handle_custom_msg({"type": "change", "name": layer, "value": 0.25, "generation": 1}, [])
    until(panel, lambda: leaf.answered == 1)
    assert panel.settings.sparsity_by_layer == {layer: 0.25}
    assert set(leaf.follow.values()) == {0.5}
    again = CompressPanel.from_code(panel.code(), Session(panel.session.workspace))
    assert again.settings == panel.settings
    leaf._handle_custom_msg({"type": "change", "name": layer, "value": None, "generation": 2}, [])
    assert panel.settings.sparsity_by_layer == {}
    again.session.close()
    again.close()


def test_a_scan_is_drawn_and_a_click_sets_that_layer(panel: CompressPanel) -> None:
    panel.scan()
    until(panel, lambda: bool(panel._layers.heat.cells))
    heat, found = panel._layers.heat, panel._layers.found
    assert found is not None
    assert heat.rows == list(found.layers)
    heat._handle_custom_msg({"type": "pick", "row": 1, "column": 2}, [])
    assert panel.settings.sparsity_by_layer == {found.layers[1]: 0.7}
    assert [1, 2] in heat.marked
    heat._handle_custom_msg({"type": "pick", "row": 99, "column": 0}, [])
    heat._handle_custom_msg({"type": "pick", "row": 0, "column": len(found.settings) - 1}, [])
    assert panel.settings.weight_bits == 2


def test_ledger_and_damage_are_about_the_point(panel: CompressPanel) -> None:
    drag(panel, "sparsity", 0.95, 1, "change")
    until(panel, lambda: bool(panel._closer.remarks.items))
    assert "zeros" in {item["topic"] for item in panel._closer.remarks.items}
    panel.show_damage()
    until(panel, lambda: bool(panel._closer.classes.rows))
    flips = panel._closer.flips
    assert flips.pictures
    assert flips.caption.startswith("95 % zeros: ")
    assert all(picture["png"] and "→" in picture["name"] for picture in flips.pictures)


def count_tuned(panel: CompressPanel) -> int:
    return next((int(one["count"]) for one in panel._answers.chart.series if one["name"] == "fine-tuned"), 0)


def test_a_point_is_fine_tuned_measured_and_becomes_a_variant(panel: CompressPanel, model: str) -> None:
    assert panel._tuning.actions.actions[0]["enabled"] is False
    panel.form.write({"sparsity": 0.5, "weight_bits": 8, "epochs": 1})
    assert panel._tuning.actions.actions[0]["enabled"] is True
    panel.start()
    until(panel, lambda: len(panel.session.variants) == 2)
    assert panel.session.variants["float"] == model
    made = Artifact.load(panel.session.variants["50 % zeros, int8"])
    assert made.label == "tflite/dynamic"
    assert panel.session.artifact == str(made.folder)
    assert panel.settings.artifact == model
    until(panel, lambda: count_tuned(panel) == 1)
    until(panel, lambda: panel._closer.flips.caption.startswith("50 % zeros, int8: "))
    until(panel, lambda: "estimated from 1 point" in panel._answers.tiles.tiles[2]["detail"])
    again = CompressPanel(workspace=panel.session.workspace, artifact=model)
    until(again, lambda: again.heading.chip == "live" and count_tuned(again) == 1)
    again.form.write({"sparsity": 0.5, "weight_bits": 8})
    until(again, lambda: "estimated from 1 point" in again._answers.tiles.tiles[2]["detail"])
    again.close()


def test_models_that_the_sliders_cannot_move_are_said_so(workspace: Workspace, converted: dict[str, Artifact]) -> None:
    panel = CompressPanel(workspace=workspace)
    panel.session.artifact = str(next(iter(converted.values())).folder)
    assert panel._status.text.startswith("The sliders move Keras models")
    assert panel.errors.message == ""
    panel.close()


def test_points_of_sweeps_are_read_between() -> None:
    known = KnownPoints()
    accuracy = wilson(90, 100)
    itself = SimpleNamespace(accuracy=wilson(98, 100))
    place = {"scope": "layer", "sparsity_by_layer": {}, "clusters": None, "weight_bits": None, "sparsity": 0.6}
    known.begin(itself, [KnownPoint(Line(), 0.8, accuracy), KnownPoint(Line(clusters=16), 0.8, accuracy)])  # type: ignore[arg-type]

    def at(**changes: Any) -> Any:
        return known.estimate(SimpleNamespace(settings={**place, **changes}))  # type: ignore[arg-type]

    found = at()
    assert found.points == 2
    assert accuracy.value < found.accuracy < itself.accuracy.value
    assert at(sparsity=0.9).accuracy is None
    assert at(clusters=16, sparsity=0.8).accuracy == accuracy.value
    assert at(clusters=8) is None
    assert at(scope="global") is None


def test_points_of_a_sweep_of_this_model_are_found(fresh_workspace: Workspace) -> None:
    steps = ({"method": "magnitude_pruning", "settings": {"sparsity": 0.8, "scope": "global"}},)
    variant = Variant.model_construct(numeric="float32", accuracy=wilson(90, 100))
    point = SweepPoint.model_construct(key="k", steps=steps, variant=variant)
    assert list(_sayable([point])) == [KnownPoint(Line("global"), 0.8, wilson(90, 100))]
    other = SweepPoint.model_construct(key="k", steps=({"method": "low_rank", "settings": {}},), variant=variant)
    failed = SweepPoint.model_construct(key="k", steps=steps, variant=None)
    assert list(_sayable([other, failed])) == []
    assert points_of_sweeps("0" * 64, fresh_workspace) == []
