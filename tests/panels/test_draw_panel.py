"""A drawing, who answers it, and what is kept of it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest

import workbench as wb
from tests.panels.served import look_at, tiny_model
from workbench.core.artifact import Artifact
from workbench.evaluate.runtimes import open_runtime
from workbench.panels.draw import DrawPanel
from workbench.panels.parts.contestants import Answer, candidates, probabilities
from workbench.panels.parts.verdict import verdict
from workbench.serve.sandbox import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset

SOON = 30


def wait_for(panel: DrawPanel, met: Callable[[], bool]) -> None:
    """Wait until something holds, looking whenever the cards have changed."""
    changed = threading.Event()
    panel._cards.observe(lambda _change: changed.set())
    panel._kept._line.observe(lambda _change: changed.set())
    while not met():
        assert changed.wait(SOON), panel.errors.detail or panel._cards.cards
        changed.clear()


def draw(panel: DrawPanel, sample: NDArray[np.float32]) -> None:
    """Draw an image pixel by pixel."""
    ink = np.kron(sample[..., 0], np.ones((4, 4)))
    with panel._pad.hold_trait_notifications():
        panel._pad.pixels = (255 * ink).round().astype(np.uint8).tobytes()
        panel._pad.stroke += 1


@pytest.fixture
def panel(trained: Artifact, converted: dict[str, Artifact], workspace: Workspace) -> Iterator[DrawPanel]:
    made = DrawPanel(artifact=str(trained.folder), workspace=workspace)
    made.session.variants = {
        "int8": str(converted["tflite/int8"].folder),
        "onnx": str(converted["onnx/float32"].folder),
    }
    made.refresh()
    wait_for(made, lambda: len(made._cards.cards) > 1)
    yield made
    made.close()


def test_models_answer_side_by_side_as_they_do_elsewhere(
    panel: DrawPanel, digits: Dataset, converted: dict[str, Artifact]
) -> None:
    panel.form.write({"preprocessing": "raw"})
    sample = digits.floats("test", slice(0, 1))[0]
    draw(panel, sample)
    wait_for(panel, lambda: all(one.get("stroke") == 1 or "note" in one for one in panel._cards.cards))
    answered = {one["name"]: one for one in panel._cards.cards if "shares" in one}
    assert len(answered) >= 2
    with open_runtime(converted["tflite/int8"]) as runtime:
        wanted = runtime.predict(np.round(255 * sample[None]) / 255)[0]
    np.testing.assert_allclose(answered["int8"]["shares"], wanted, atol=0.02)
    assert panel._images.images[0]["title"] == f"{digits.shape[0]}x{digits.shape[1]}"
    assert len(panel._kept.classes) == 10
    panel._pad.pixels = b""
    panel._pad.stroke += 1
    assert panel.answers == {}
    assert panel._images.images == []


def test_what_was_drawn_is_kept_with_its_true_class(panel: DrawPanel, digits: Dataset, workspace: Workspace) -> None:
    panel.session.hard_set = "by_hand"
    panel.form.write({"preprocessing": "raw"})
    sample = digits.floats("test", slice(1, 2))[0]
    press = {"type": "press", "name": "keep-3"}
    panel._kept._bar._handle_custom_msg(press, [])
    assert len(wb.hard_set("by_hand", workspace=workspace)) == 0
    draw(panel, sample)
    panel._kept._bar._handle_custom_msg(press, [])
    wait_for(panel, lambda: panel._kept._line.tone == "good")
    ((kept, image),) = wb.hard_set("by_hand", workspace=workspace).samples()
    assert (kept.label, kept.source, kept.shape) == (3, "drawn", digits.shape)
    np.testing.assert_allclose(image.astype(float) / (255 if image.dtype == np.uint8 else 1), sample, atol=0.01)


def test_a_page_for_viewing_keeps_nothing(
    panel: DrawPanel, digits: Dataset, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_ROLE", "viewer")
    panel.session.hard_set = "viewers"
    draw(panel, digits.floats("test", slice(2, 3))[0])
    panel._kept._bar._handle_custom_msg({"type": "press", "name": "keep-3"}, [])
    assert "operator" in panel.errors.message
    assert len(wb.hard_set("viewers", workspace=workspace)) == 0


def test_who_is_not_compared_any_more_has_no_say(panel: DrawPanel, digits: Dataset) -> None:
    draw(panel, digits.floats("test", slice(3, 4))[0])
    wait_for(panel, lambda: all(one.get("stroke") == 1 or "note" in one for one in panel._cards.cards))
    before, shown = panel._cards.verdict, set(panel.answers)
    panel._on_answers({"server gone": Answer((1.0, *[0.0] * 9), 1.0)}, 1)  # as one that ended comes late
    assert (panel._cards.verdict, set(panel.answers)) == (before, shown)


def test_a_model_that_needs_tensorflow_says_what_lets_it_answer(trained: Artifact, fresh_workspace: Workspace) -> None:
    panel = DrawPanel(artifact=str(trained.folder), workspace=fresh_workspace)
    panel.refresh()
    wait_for(panel, lambda: bool(panel._cards.cards))
    assert "convert it to ONNX" in panel._cards.cards[0]["note"]
    assert panel._bar.actions[0]["shown"] is True
    panel.close()


def test_the_served_answer_follows_the_version_that_answers_and_ends_with_the_server(
    tmp_path: Path, fresh_workspace: Workspace
) -> None:
    model = tiny_model(tmp_path / "brightest", fresh_workspace)
    other = tiny_model(tmp_path / "darkest", fresh_workspace, darkest=True)
    with serve(model, "pixels", workspace=fresh_workspace, workers=1) as server:
        panel = DrawPanel(workspace=fresh_workspace)
        panel.form.write({"preprocessing": "raw"})
        panel.session.server = server.folder.name
        look_at(panel)
        wait_for(panel, lambda: bool(panel._cards.cards))
        corner = np.zeros((4, 4, 1), np.float32)
        corner[0, 0] = 1
        draw(panel, corner)
        wait_for(panel, lambda: "shares" in panel._cards.cards[0])
        assert panel._cards.cards[0]["detail"] == "served, version 1"
        assert int(np.argmax(panel._cards.cards[0]["shares"])) == 0
        server.publish(other)
        wait_for(panel, lambda: panel._cards.cards[0]["detail"] == "served, version 2")
        assert int(np.argmax(panel._cards.cards[0]["shares"])) != 0
    wait_for(panel, lambda: "note" in panel._cards.cards[0])
    assert panel._cards.cards[0]["note"] == "pixels has ended"
    assert panel.answers == {}
    assert not panel.errors.message
    panel.close()


def test_each_of_several_models_is_answered_for_by_its_own_conversion(
    tmp_path: Path, fresh_workspace: Workspace
) -> None:
    def written(folder: Path, name: str, form: Literal["tf_keras", "onnx"], parent: str | None = None) -> Artifact:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model").write_text(f"{name} {form}", encoding="utf-8")
        return Artifact.write(folder, file="model", name=name, format=form, numeric="float32", parent=parent)

    models = {name: written(tmp_path / name, name, "tf_keras") for name in ("first", "second")}
    for name, model in models.items():
        written(fresh_workspace.new_run("convert") / "result", name, "onnx", model.sha256)
    found = candidates({name: str(model.folder) for name, model in models.items()}, "", fresh_workspace)
    assert {made.parent for made in found.values() if made.format == "onnx"} == {m.sha256 for m in models.values()}
    assert {"first", "second", "onnx float32"} < set(found)


def test_where_the_data_is_a_table_there_is_no_pad(fresh_workspace: Workspace) -> None:
    panel = DrawPanel(workspace=fresh_workspace)
    panel.session.dataset = "wine"
    assert panel._desk.layout.display == "none"
    assert panel._word.layout.display is None
    panel.session.dataset = "digits"
    assert panel._desk.layout.display is None
    panel.close()


def test_who_disagrees_is_named() -> None:
    seven, one = Answer((0.1, 0.9), 1.0), Answer((0.6, 0.4), 1.0)
    assert verdict({"a": seven, "b": seven}, ("1", "7")) == ("All 2 say 7.", "good", frozenset())
    text, tone, differ = verdict({"a": seven, "b": seven, "c": one}, ("1", "7"))
    assert text == "They disagree: 2 of 3 say 7; c says 1."
    assert (tone, differ) == ("warn", {"c"})


def test_scores_that_are_no_probabilities_become_some() -> None:
    assert probabilities(np.array([0.25, 0.75], np.float32)) == pytest.approx((0.25, 0.75))
    assert probabilities(np.array([-1.0, 1.0], np.float32)) == pytest.approx((1 / (1 + np.e**2), 1 / (1 + np.e**-2)))
