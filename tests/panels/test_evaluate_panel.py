"""Which figures and which code stand under a model's name."""

from __future__ import annotations

import threading
from pathlib import Path
from queue import Queue
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.datasets import Dataset
from workbench.evaluate.metrics import evaluation_of
from workbench.panels.evaluate import EvaluatePanel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.core.workspace import Workspace

SOON, LONG = 10, 180


class Slow(EvaluatePanel):
    """One whose questions are answered when the test says so."""

    def __init__(self, **kwargs: Any) -> None:
        self.gates: dict[str, Queue[BaseException | None]] = {name: Queue() for name in ("older", "newer", "bad")}
        super().__init__(**kwargs)

    def _submit(self, folder: str, split: str) -> Any:
        if error := self.gates[folder].get(timeout=SOON):
            raise error
        answer = evaluation_of(
            np.eye(2, dtype=np.float32), np.arange(2), classes=("a", "b"), model=folder, dataset="d", checksum="",
            split=split,
        )  # fmt: skip
        return SimpleNamespace(
            state="done",
            events=lambda: SimpleNamespace(read=list),
            value=answer.to_json,
            settings={},
            result=Path(folder),
        )


@pytest.fixture
def slow(fresh_workspace: Workspace) -> Iterator[Slow]:
    panel = Slow(workspace=fresh_workspace)
    yield panel
    panel.close()


def ask(panel: Slow, folder: str) -> None:
    panel.form.write({"artifact": folder})
    panel.start()


def answer(panel: Slow, folder: str, error: BaseException | None = None) -> None:
    """Let a question be answered, and wait until what came of it was dealt with."""
    before = {thread for thread in threading.enumerate() if thread.name == "workbench-background"}
    panel.gates[folder].put(error)
    while all(thread.is_alive() for thread in before):
        next(iter(before)).join(0.01)


@pytest.mark.parametrize("older_fails", [False, True])
def test_an_answer_that_comes_late_is_dropped(slow: Slow, *, older_fails: bool) -> None:
    ask(slow, "older")
    ask(slow, "newer")
    answer(slow, "newer")
    answer(slow, "older", BadInputError("older broke.") if older_fails else None)
    assert slow.evaluation is not None
    assert slow.evaluation.model == "newer"
    assert slow.errors.message == ""
    assert slow.heading.chip == "done"


def test_figures_of_another_model_are_gone_at_once(slow: Slow) -> None:
    ask(slow, "older")
    answer(slow, "older")
    assert slow.evaluation is not None
    ask(slow, "newer")
    assert slow.evaluation is None
    answer(slow, "newer")


def model(folder: Path, spec: dict[str, Any] | None) -> str:
    folder.mkdir()
    (folder / "model.keras").write_bytes(folder.name.encode())
    settings = {"dataset": spec} if spec else {}
    Artifact.write(
        folder, file="model.keras", name=folder.name, format="tf_keras", numeric="float32", settings=settings
    )
    return str(folder)


def test_code_names_the_data_that_is_used(fresh_workspace: Workspace, tmp_path: Path) -> None:
    images, labels = np.zeros((4, 8, 8), np.uint8), np.arange(4) % 2
    own = Dataset.from_arrays(images, labels, images, labels, name="stripes", workspace=fresh_workspace)
    stripes, free = model(tmp_path / "stripes", own.spec), model(tmp_path / "free", None)
    panel = EvaluatePanel(workspace=fresh_workspace)
    panel.session.dataset = "fashion_mnist"
    panel.form.write({"artifact": stripes})
    assert f"wb.evaluate(model, wb.Dataset.open({str(own.folder)!r}))" in panel._code.code
    panel.form.write({"artifact": free})
    assert "wb.evaluate(model, 'fashion_mnist')" in panel._code.code
    panel.session.dataset = "digits"
    assert "wb.evaluate(model, 'digits')" in panel._code.code
    panel.close()


def test_a_cell_shows_its_samples_and_the_gate_says_why(
    workspace: Workspace, trained: Artifact, digits: Dataset
) -> None:
    panel = EvaluatePanel(workspace=workspace, artifact=str(trained.folder))
    turned = threading.Event()

    def look(_change: object) -> None:
        measured = panel.verdict.verdict is not None and panel.verdict._sizes is not None
        if panel.errors.message or (measured and panel.scores.calibration.figure and panel.samples.view.gallery.items):
            turned.set()

    for widget in (panel.errors, panel.scores.calibration, panel.samples.view.gallery, panel.verdict.actions):
        widget.observe(look)
    panel.verdict.table.observe(look)
    panel.form.write({"max_gzip_bytes": 10})
    assert turned.wait(LONG)
    assert panel.errors.message == ""
    evaluation, gallery = panel.evaluation, panel.samples.view.gallery
    assert evaluation is not None
    wrong = evaluation.accuracy.total - evaluation.accuracy.successes
    assert (gallery.title, gallery.total) == ("Worst mistakes", wrong)

    panel.scores.matrix.selected = [3, 3]
    assert gallery.total == evaluation.confusion[3][3]
    assert gallery.items[0]["tone"] == "good"
    index = int(gallery.items[0]["about"].split(":")[0].removeprefix("Sample "))
    assert gallery.pixels[: 28 * 28] == digits.x_test[index].tobytes()
    panel.scores.matrix.selected = [3, 99]
    assert gallery.total == evaluation.confusion[3][3]

    assert panel.verdict.verdict is not None
    assert not panel.verdict.verdict.passed
    assert panel.verdict.table.rows[0]["reason"].startswith("File size once gzip'd must be at most 10 bytes, got ")
    panel.form.write({"max_gzip_bytes": None, "max_drop": 0.02})
    assert "was not measured" in panel.verdict.table.rows[0]["reason"]
    panel.verdict.actions._handle_custom_msg({"type": "press", "name": "baseline"}, [])
    assert panel.verdict.table.rows[0] == {
        "verdict": "✓ holds", "reason": "Accuracy lost against the baseline is at most 2.00 points: 0.00 points."
    }  # fmt: skip
    assert "verdict = wb.Gate(max_drop=0.02).check(evaluation" in panel._code.code
    panel.close()
