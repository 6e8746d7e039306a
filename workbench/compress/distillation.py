"""Learning from a teacher's answers beside the labels.

Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network" (2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, WorkbenchError

if TYPE_CHECKING:
    from workbench.train.settings import LearningSettings

_LEAST_PROBABILITY = 1e-12


@dataclass(frozen=True)
class Distillation:
    """What a student learns: (1 − weight) · CE(labels) + weight · T² · KL(teacher at T ‖ student at T).

    Models here end in probabilities p, so softening by T means softmax(log p / T), which is what dividing the logits
    would give.

    Attributes:
        teacher: A tf_keras model; it is asked with the very image that the student sees, shifts included.
        weight: Of the teacher, in [0, 1].
        temperature: T.
    """

    teacher: Any
    weight: float
    temperature: float

    def targets(self, stream: Any) -> Any:
        """Put the teacher's probabilities behind each one-hot label: (B, classes) becomes (B, 2 · classes)."""
        import tensorflow as tf

        def with_answers(images: Any, labels: Any) -> Any:
            return images, tf.concat([labels, self.teacher(images, training=False)], axis=-1)

        return stream.map(tf.autograph.experimental.do_not_convert(with_answers))

    def loss(self, settings: LearningSettings) -> Any:
        """Return a loss of such targets; labels alone (a validation split has no teacher) count as usual."""
        import tensorflow as tf
        import tf_keras

        hard = tf_keras.losses.CategoricalCrossentropy(label_smoothing=settings.label_smoothing)

        def distilled(targets: Any, answers: Any) -> Any:
            classes = answers.shape[-1]
            if targets.shape[-1] == classes:
                return hard(targets, answers)
            teacher, student = self._softened(targets[:, classes:]), self._softened(answers)
            soft = tf.reduce_mean(tf.reduce_sum(tf.exp(teacher) * (teacher - student), axis=-1))
            own = hard(targets[:, :classes], answers)
            return (1 - self.weight) * own + self.weight * self.temperature**2 * soft

        return distilled

    def accuracy(self) -> Any:
        """Return the metric `accuracy` of such targets."""
        import tensorflow as tf

        def accuracy(targets: Any, answers: Any) -> Any:
            labels = targets[:, : answers.shape[-1]]
            return tf.cast(tf.equal(tf.argmax(labels, axis=-1), tf.argmax(answers, axis=-1)), tf.float32)

        return accuracy

    def _softened(self, probabilities: Any) -> Any:
        import tensorflow as tf

        logs = tf.math.log(tf.clip_by_value(probabilities, _LEAST_PROBABILITY, 1.0))
        return tf.nn.log_softmax(logs / self.temperature)


def origin_of(artifact: Artifact) -> Artifact:
    """Return the model that a chain of compressions began with: the teacher of all its steps.

    Raises:
        BadInputError: A model on the way is not there any more.
    """
    while isinstance(source := artifact.settings.get("source"), dict):
        try:
            artifact = Artifact.load(source["artifact"]).verify(source["sha256"])
        except WorkbenchError as error:
            raise BadInputError.of(
                "distillation_weight", rule="must be 0 where the model that the chain began with is gone",
                got=source["artifact"], hint="compress that model anew",
            ) from error  # fmt: skip
    return artifact
