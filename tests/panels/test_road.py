"""Panels with real jobs: trained here, seen there, evaluated by itself."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from workbench.dashboards.training import Training

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.workspace import Workspace

LONG = 60


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
    until(first, lambda: first.train.state == "done")
    until(first, lambda: first.evaluate.heading.chip == "done")
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
