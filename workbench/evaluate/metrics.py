"""From a classifier's outputs and the true labels to the record of how well it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.core.errors import BadInputError
from workbench.core.records import ClassScore, Evaluation
from workbench.evaluate.calibration import calibration_error, reliability
from workbench.evaluate.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

# The smallest probability whose logarithm is taken, as Keras does; an int8 output may well be exactly 0.
_SMALLEST = 1e-7
# Rows of a softmax add to 1; those of a quantised one only nearly, and tiny probabilities round to 0.
_ROW_SUM = (0.5, 1.5)
_ROUNDING = 1e-3


def evaluation_of(
    outputs: ArrayLike,
    labels: ArrayLike,
    *,
    classes: Sequence[str],
    model: str,
    dataset: str,
    checksum: str,
    split: str = "test",
) -> Evaluation:
    """Score a classifier's answers.

    Args:
        outputs: (samples, classes) probabilities or logits, or (samples, 1) probabilities of the second of two
            classes.
        labels: (samples,) true class indices.
        classes: Name of each class, in index order.
        model: sha256 of the model.
        dataset: Name of the dataset.
        checksum: Checksum of the dataset.
        split: Which part of it.

    Raises:
        BadInputError: Shapes do not fit each other, an output is not finite, or a label has no class.
    """
    truth = np.asarray(labels).reshape(-1).astype(np.int64)
    probabilities = as_probabilities(outputs)
    _check(probabilities, truth, len(classes))
    predicted = probabilities.argmax(axis=1)
    right = predicted == truth
    confusion = confusion_matrix(truth, predicted, len(classes))
    bins = reliability(probabilities.max(axis=1), right)
    return Evaluation(
        model=model,
        dataset=dataset,
        checksum=checksum,
        split=split,
        accuracy=wilson(int(right.sum()), len(truth)),
        log_loss=log_loss(probabilities, truth),
        calibration_error=calibration_error(bins),
        classes=class_scores(confusion, classes),
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        calibration=bins,
        correct="".join("1" if hit else "0" for hit in right),
    )


def as_probabilities(outputs: ArrayLike) -> NDArray[np.float64]:
    """Return outputs as probabilities whose rows add to 1.

    Values that lie in [0, 1] and add to about 1 are taken as (perhaps quantised) probabilities, a single column in
    [0, 1] as the probability of the second of two classes, and everything else as logits.

    Args:
        outputs: (samples, classes) or (samples, 1).

    Raises:
        BadInputError: An output is NaN or infinite, or the shape is another one.
    """
    values = np.asarray(outputs, dtype=np.float64)
    if values.ndim != 2 or 0 in values.shape:  # noqa: PLR2004 - samples and classes
        raise BadInputError.of("outputs", rule="must have the shape (samples, classes)", got=values.shape)
    if not np.isfinite(values).all():
        at = int(np.argwhere(~np.isfinite(values))[0, 0])
        raise BadInputError.of(f"outputs[{at}]", rule="must be finite", got=values[at].tolist())
    likely = are_probabilities(values)
    if values.shape[1] == 1:
        second = np.clip(values, 0, 1) if likely else 1 / (1 + np.exp(-values))
        return np.hstack([1 - second, second])
    if likely:
        clipped = np.clip(values, 0, 1)
        return np.asarray(clipped / clipped.sum(axis=1, keepdims=True))
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def are_probabilities(outputs: NDArray[np.float64]) -> bool:
    """Say whether finite outputs (samples, classes) look like probabilities; what does not is taken as logits."""
    if outputs.min() < -_ROUNDING or outputs.max() > 1 + _ROUNDING:
        return False
    sums = outputs.sum(axis=1)
    return outputs.shape[1] == 1 or bool(sums.min() >= _ROW_SUM[0] and sums.max() <= _ROW_SUM[1])


def as_logits(outputs: ArrayLike) -> NDArray[np.float64]:
    """Return outputs as logits: as they are, or the logarithms of probabilities (clipped at 1e-7) less the row's mean.

    Args:
        outputs: (samples, classes), or (samples, 1) probabilities or logits of the second of two classes.

    Raises:
        BadInputError: As for `as_probabilities`.
    """
    values = np.asarray(outputs, dtype=np.float64)
    probabilities = as_probabilities(values)
    if not are_probabilities(values):
        return values
    logarithms = np.log(np.clip(probabilities, _SMALLEST, 1.0))
    return np.asarray(logarithms - logarithms.mean(axis=1, keepdims=True))


def confusion_matrix(truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Count (classes, classes) pairs: row = true class, column = predicted class."""
    pairs = np.bincount(truth * classes + predicted, minlength=classes * classes)
    return pairs.reshape(classes, classes).astype(np.int64)


def class_scores(confusion: NDArray[np.int64], classes: Sequence[str]) -> tuple[ClassScore, ...]:
    """Return precision, recall and F1 of each class; 0 where a score is not defined, as scikit-learn does."""
    hits = np.diag(confusion).astype(float)
    support, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    precision = hits / np.maximum(predicted, 1)
    recall = hits / np.maximum(support, 1)
    f1 = 2 * hits / np.maximum(support + predicted, 1)
    return tuple(
        ClassScore(
            label=str(label),
            precision=float(precision[i]),
            recall=float(recall[i]),
            f1=float(f1[i]),
            support=int(support[i]),
        )
        for i, label in enumerate(classes)
    )


def log_loss(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """Return the mean negative log likelihood of the true classes in nats, probabilities clipped at 1e-7."""
    likelihood = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.clip(likelihood, _SMALLEST, 1.0)).mean())


def _check(probabilities: NDArray[np.float64], truth: NDArray[np.int64], classes: int) -> None:
    if probabilities.shape[1] != classes:
        raise BadInputError.of(
            "outputs",
            rule=f"must have one column for each of the dataset's {classes} classes",
            got=probabilities.shape[1],
            hint="evaluate the model on the dataset that it was trained for",
        )
    if len(probabilities) != len(truth):
        raise BadInputError.of("labels", rule=f"must be {len(probabilities)}, one an output", got=len(truth))
    if truth.min() < 0 or truth.max() >= classes:
        at = int(np.argmax((truth < 0) | (truth >= classes)))
        raise BadInputError.of(f"labels[{at}]", rule=f"must be in 0…{classes - 1}", got=int(truth[at]))
