"""A run on screen: where early stopping kept a model, and where it ended."""

from __future__ import annotations

import pytest

from workbench.core.records import LearningCurve
from workbench.panels.parts.run_view import RunView


def curve(*, best: int, stopped: bool) -> LearningCurve:
    point = {"loss": 0.5, "accuracy": 0.9, "val_loss": 0.6, "val_accuracy": 0.8, "seconds": 1.0, "learning_rate": 0.001}
    points = [{"epoch": epoch, **point} for epoch in range(1, 6)]
    return LearningCurve.from_json({"label": "five", "points": points, "best_epoch": best, "stopped_early": stopped})


@pytest.mark.parametrize(
    ("best", "stopped", "marks"),
    [
        (5, False, []),
        (4, False, [{"x": 4, "label": "epoch 4 was kept"}]),
        (
            3,
            True,
            [
                {"x": 3, "label": "epoch 3 was kept", "until": 5},
                {"x": 5, "label": "stopped after 2 epochs of patience"},
            ],
        ),
    ],
)
def test_early_stopping_is_marked_on_both_curves(*, best: int, stopped: bool, marks: list[dict[str, object]]) -> None:
    view = RunView()
    view.conclude(curve(best=best, stopped=stopped))
    assert view._accuracy.marks == view._loss.marks == marks
