"""How a training went."""

from __future__ import annotations

from workbench.core.records.base import Record


class EpochPoint(Record):
    """One finished epoch; losses in nats, accuracies in [0, 1]."""

    epoch: int
    loss: float
    accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    seconds: float
    learning_rate: float


class LearningCurve(Record):
    """A training run, epoch by epoch; `best_epoch` is the one whose weights were kept."""

    label: str
    points: tuple[EpochPoint, ...]
    best_epoch: int | None = None
    stopped_early: bool = False
