"""Panels with real jobs: trained here, seen there, evaluated by itself."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import numpy as np

from workbench.dashboards.training import Training

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.core.workspace import Workspace

LONG = 180


def small_data(file: Path, *, classes: int = 3) -> Path:
    """Write an .npz file of stripes."""
    labels = np.tile(np.arange(classes), 20)
    images = np.zeros((len(labels), 12, 12), np.uint8)
    images[np.arange(len(labels)), labels * 2] = 255
    np.savez(file, x=images, y=labels)
    return file


def until(app: Training, condition: Callable[[], bool]) -> None:
    """Wait for a condition that traits of the app decide; errors end the waiting."""
    turned = threading.Event()
    watched = (app.train.heading, app.train.errors, app.evaluate.heading, app.evaluate.errors)

    def look(_change: object) -> None:
        if condition() or app.train.errors.message or app.evaluate.errors.message:
            turned.set()

    for widget in watched:
        widget.observe(look)
    look(None)
    assert turned.wait(LONG), (app.train.state, app.train.heading.chip, app.evaluate.heading.chip)
    assert (app.train.errors.message, app.evaluate.errors.message) == ("", "")


def evaluated(app: Training) -> bool:
    """Say whether the run that is shown has ended and its model was evaluated."""
    chips = (app.train.heading.chip, app.evaluate.heading.chip)
    return chips == ("done", "done") and app.session.artifact == str(app.train.job.result)


def test_data_of_ones_own_is_found_again_also_when_its_file_is_gone(workspace: Workspace, tmp_path: Path) -> None:
    file = small_data(tmp_path / "digits.npz")
    first = Training(workspace)
    first.train.form.write({"dataset": str(file), "epochs": 1, "seed": 4712, "architecture": "mlp"})
    first.train.start()
    until(first, lambda: evaluated(first))
    spec = first.train.job.settings["dataset"]
    file.unlink()

    second = Training(workspace)
    assert "wb.train(wb.Dataset.open('" in second.train.code()
    assert "wb.evaluate(model, wb.Dataset.open('" in second.evaluate.code()
    again = type(second.train).from_code(second.train.code(), workspace=workspace)
    assert again.settings == second.train.settings
    second.train.form.write({"seed": 4713})
    second.train.start()
    until(second, lambda: second.train.state == "done" and second.train.job != first.train.job)
    assert second.train.job.settings["dataset"] == spec
    for app in (first, second, again):
        app.close()


def test_what_is_wrong_in_a_file_stands_beside_its_path(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "bad.npz"
    np.savez(file, x=np.zeros((4, 8, 8), np.uint8))
    app, said = Training(workspace), threading.Event()
    app.train.form.write({"dataset": str(file)})
    app.train.form.widget.observe(lambda change: said.set() if change.new else None, "errors")
    app.train.start()
    assert said.wait(LONG)
    assert "bad.npz must be there" in app.train.form.widget.errors["dataset"]
    assert app.train.errors.message == ""
    assert app.train.form.valid
    app.close()


def test_train_cancel_resume_evaluate_and_find_it_again(workspace: Workspace) -> None:
    first, second = Training(workspace), Training(workspace)
    first.train.form.write({"dataset": "digits", "epochs": 30, "seed": 4711, "architecture": "mlp"})
    first.train.start()
    until(first, lambda: first.train.state == "running")
    second.train.refresh()
    assert second.train.job == first.train.job

    first.train.cancel()
    until(first, lambda: first.train.state == "cancelled")
    until(second, lambda: second.train.state == "cancelled")
    first.train.resume()
    until(first, lambda: evaluated(first))
    assert first.evaluate.evaluation is not None
    assert first.evaluate.evaluation.accuracy.total == 359
    assert first.evaluate.form.values["artifact"] == first.session.artifact

    third = Training(workspace)
    assert third.train.state == "done"
    assert third.train.form.values["epochs"] == 30
    until(third, lambda: third.evaluate.heading.chip == "done")
    for app in (first, second, third):
        app.close()
    assert "tensorflow" not in sys.modules
