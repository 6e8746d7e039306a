"""Settings to a compiled model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from workbench.train.settings import LearningSettings


class Lesson(Protocol):
    """What to learn besides the labels, for instance a teacher's answers."""

    def targets(self, stream: Any) -> Any:
        """Return the stream of (images, one-hot labels) with targets of the lesson's own."""

    def loss(self, settings: LearningSettings) -> Any:
        """Return the Keras loss of those targets, and of one-hot labels alone."""

    def accuracy(self) -> Any:
        """Return the Keras metric of those targets that is called `accuracy`."""


def compile_model(model: Any, settings: LearningSettings, steps: int, lesson: Lesson | None = None) -> None:
    """Compile a tf_keras model for labels in one-hot rows.

    Args:
        model: Ends in probabilities.
        settings: Optimizer, learning rate, schedule, label smoothing.
        steps: Of the whole run; a schedule ends with it.
        lesson: What to learn besides the labels.
    """
    import tf_keras

    if lesson is not None:
        loss, accuracy = lesson.loss(settings), lesson.accuracy()
    else:
        loss, accuracy = tf_keras.losses.CategoricalCrossentropy(label_smoothing=settings.label_smoothing), "accuracy"
    model.compile(optimizer=_optimizer(settings, steps), loss=loss, metrics=[accuracy])


def _optimizer(settings: LearningSettings, steps: int) -> Any:
    from tf_keras import optimizers

    kinds = {
        "adam": optimizers.Adam,
        "adamw": optimizers.AdamW,
        "nadam": optimizers.Nadam,
        "rmsprop": optimizers.RMSprop,
        "sgd": lambda learning_rate: optimizers.SGD(learning_rate, momentum=0.9),
    }
    return kinds[settings.optimizer](learning_rate=_rate(settings, steps))


def _rate(settings: LearningSettings, steps: int) -> Any:
    if settings.schedule == "constant":
        return settings.learning_rate
    from tf_keras.optimizers.schedules import CosineDecay

    warmup = round(settings.warmup * steps)
    if not warmup:
        return CosineDecay(settings.learning_rate, decay_steps=steps)
    return CosineDecay(
        0.0, decay_steps=max(1, steps - warmup), warmup_target=settings.learning_rate, warmup_steps=warmup
    )
