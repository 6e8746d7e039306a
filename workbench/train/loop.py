"""The loop that teaches any tf_keras model inside a job: training and fine-tuning share it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError
from workbench.core.records import LearningCurve
from workbench.train import checkpoint
from workbench.train.batches import Batches
from workbench.train.compiling import compile_model
from workbench.train.watching import has_stopped, watcher

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.datasets import Dataset
    from workbench.jobs.stage import StageContext
    from workbench.train.compiling import Lesson
    from workbench.train.settings import LearningSettings

_VALIDATION_BATCH = 512


def seed_everything(seed: int) -> None:
    """Make what follows in this process repeatable: weights, operations, order.

    Must run before the model is built. Two runs on CPUs of one kind with the same number of threads then end
    with the same weights, bit by bit.
    """
    import tensorflow as tf
    import tf_keras

    tf_keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def batches(dataset: Dataset, settings: LearningSettings) -> tuple[Batches, Batches | None]:
    """Read the training split into memory; returns what to train on and what to validate on, if anything.

    Raises:
        BadInputError: Each class has one sample, so none is left to validate on.
    """
    kept: Any = slice(None)
    validation = None
    if settings.validation_fraction:
        kept, held = dataset.validation_split(settings.validation_fraction)
        if not len(held) or not len(kept):
            raise BadInputError.of(
                "validation_fraction", rule=f"must leave samples of {dataset.name} to train on and to validate on",
                got=settings.validation_fraction, hint="give the dataset more samples a class, or set it to 0",
            )  # fmt: skip
        validation = Batches(
            dataset.x_train[held], dataset.labels("train", held), len(dataset.classes), _VALIDATION_BATCH
        )
    training = Batches(
        dataset.x_train[kept],
        dataset.labels("train", kept),
        len(dataset.classes),
        settings.batch_size,
        settings.seed,
        settings.shift_pixels if dataset.kind == "images" else 0,
    )
    return training, validation


def learn(
    model: Any,
    dataset: Dataset,
    settings: LearningSettings,
    context: StageContext,
    *,
    label: str,
    callbacks: Iterable[Any] = (),
    lesson: Lesson | None = None,
) -> LearningCurve:
    """Compile and fit a model, from the last finished epoch where an earlier process was killed.

    Afterwards the model holds the last epoch's weights, or with `patience` those of the lowest val_loss. Layers
    that draw numbers of their own (Dropout) begin anew on resuming; everything else goes on bit by bit.

    Args:
        model: A tf_keras model that ends in probabilities; built, need not be compiled.
        dataset: What to learn from.
        settings: How.
        context: The run; the checkpoint lies in its folder.
        label: What to call the curve.
        callbacks: More Keras callbacks, for instance tfmot's `UpdatePruningStep()`.
        lesson: What to learn besides the labels; None is the labels alone.

    Raises:
        BadInputError: The loss became infinite or NaN, or no sample is left to validate on.
        WorkspaceError: The disk refused the checkpoint, or it is of another model.
    """
    training, validation = batches(dataset, settings)
    if settings.shift_pixels and not training.shift_pixels:
        context.emit("note", text=f"{dataset.name} holds no images, so nothing is shifted by {settings.shift_pixels}.")
    compile_model(model, settings, settings.epochs * training.steps, lesson)
    file = context.folder / checkpoint.FILE_NAME
    progress = checkpoint.restore(file, model)
    if progress.done:
        context.emit("note", text=f"Resumed after epoch {progress.done} of {settings.epochs}.")
    watch = watcher(
        context, progress, steps=training.steps, epochs=settings.epochs, patience=settings.patience, file=file
    )
    if progress.done < settings.epochs and not has_stopped(progress, settings.patience):
        stream = training.shuffled(progress.done, settings.epochs)
        model.fit(
            lesson.targets(stream) if lesson is not None else stream,
            steps_per_epoch=training.steps,
            initial_epoch=progress.done,
            epochs=settings.epochs,
            validation_data=validation.in_order() if validation is not None else None,
            callbacks=[watch, *callbacks],
            verbose=0,
        )
    total = settings.epochs * training.steps
    context.progress(total, total, "trained")
    return _kept(model, progress, settings, label)


def _kept(model: Any, progress: checkpoint.Progress, settings: LearningSettings, label: str) -> LearningCurve:
    best = progress.best_epoch if settings.patience is not None else progress.done
    if settings.patience is not None and progress.best_weights is not None:
        model.set_weights(progress.best_weights)
    return LearningCurve(
        label=label,
        points=tuple(progress.points),
        best_epoch=best,
        stopped_early=progress.done < settings.epochs,
    )
