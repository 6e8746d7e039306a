"""The Keras callback that tells a run's watchers how it goes and keeps it resumable."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError
from workbench.core.records import EpochPoint
from workbench.train import checkpoint

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.jobs.stage import StageContext
    from workbench.train.checkpoint import Progress

_SECONDS_BETWEEN_BATCHES = 0.1


def watcher(
    context: StageContext,
    progress: Progress,
    *,
    steps: int,
    epochs: int,
    patience: int | None,
    file: Path | None,
) -> Any:
    """Return a `tf_keras.callbacks.Callback`.

    It emits `batch` (at most ten a second) and `epoch` events and the progress, remembers the weights with the
    lowest val_loss, stops after `patience` epochs without a lower one, and writes the checkpoint, after
    which it ends where somebody asked for a pause.

    Args:
        context: Where events go.
        progress: Filled epoch by epoch.
        steps: Batches an epoch.
        epochs: Of the whole run.
        patience: Epochs without a lower val_loss before it stops; None never stops.
        file: The checkpoint; None writes none.
    """
    from tf_keras.callbacks import Callback

    class Watcher(Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            # Logs stay tensors: reading a loss waits for the step, and ten a second are read.
            self._supports_tf_logs = True
            self._told = self._began = 0.0
            self._epoch = 0

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            del logs
            self._epoch, self._began = epoch, time.perf_counter()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            now = time.perf_counter()
            if now - self._told < _SECONDS_BETWEEN_BATCHES:
                return
            self._told = now
            numbers = {name: float(logs[name]) for name in ("loss", "accuracy")}
            if all(map(math.isfinite, numbers.values())):
                context.emit("batch", epoch=self._epoch + 1, batch=batch + 1, batches=steps, **numbers)
            done = self._epoch * steps + batch + 1
            context.progress(done, epochs * steps, f"epoch {self._epoch + 1} of {epochs}")

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            point = _point(self.model, epoch, logs, time.perf_counter() - self._began)
            progress.points.append(point)
            if point.val_loss is not None and _is_best(progress):
                progress.best_epoch, progress.best_weights = point.epoch, self.model.get_weights()
            context.emit("epoch", **point.to_json())
            if file is not None:
                checkpoint.save(file, self.model, progress)
            self.model.stop_training = has_stopped(progress, patience)
            if file is not None and progress.done < epochs and not self.model.stop_training:
                context.pause_if_asked()

    return Watcher()


def has_stopped(progress: Progress, patience: int | None) -> bool:
    """Say whether val_loss has not fallen for `patience` epochs."""
    if patience is None or progress.best_epoch is None:
        return False
    return progress.done - progress.best_epoch >= patience


def _is_best(progress: Progress) -> bool:
    losses = [point.val_loss for point in progress.points if point.val_loss is not None]
    return losses[-1] <= min(losses)


def _point(model: Any, epoch: int, logs: Any, seconds: float) -> EpochPoint:
    import tensorflow as tf

    numbers = {name: float(value) for name, value in logs.items()}
    rate = float(tf.convert_to_tensor(model.optimizer.learning_rate))
    if not math.isfinite(numbers["loss"]):
        raise BadInputError.of("learning_rate", rule=f"must keep the loss finite (epoch {epoch + 1})", got=rate,
                               hint="lower it")  # fmt: skip
    return EpochPoint(
        epoch=epoch + 1,
        loss=numbers["loss"],
        accuracy=numbers["accuracy"],
        val_loss=numbers.get("val_loss"),
        val_accuracy=numbers.get("val_accuracy"),
        seconds=seconds,
        learning_rate=rate,
    )
