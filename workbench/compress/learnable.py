"""Whether a model can be fine-tuned on a dataset, asked before the first step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from workbench.datasets import Dataset

_LOOKED_AT = 16
_ROUNDING = 1e-3


def require_learnable(model: Any, data: Dataset) -> None:
    """Refuse a model that does not take the dataset's images or does not answer with probabilities of its classes.

    Args:
        model: A tf_keras model.
        data: What it is to be fine-tuned on.

    Raises:
        BadInputError: Shape, classes or last layer do not fit, or there are several inputs or outputs.
    """
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        counts = f"{len(model.inputs)} and {len(model.outputs)}"
        raise BadInputError.of("model", rule="must have one input and one output", got=counts)
    wanted, classes = tuple(model.input_shape[1:]), model.output_shape[-1]
    fits = len(wanted) == len(data.shape) and all(w in (None, h) for w, h in zip(wanted, data.shape, strict=True))
    if not fits:
        raise BadInputError.of("dataset", rule=f"must have images of the model's shape {wanted}", got=data.shape)
    if classes != len(data.classes):
        raise BadInputError.of("dataset", rule=f"must have the model's {classes} classes", got=len(data.classes))
    answers = np.asarray(model(data.floats("train", slice(0, _LOOKED_AT)), training=False))
    if answers.min() < 0 or np.abs(answers.sum(axis=-1) - 1).max() > _ROUNDING:
        raise BadInputError.of(
            "model", rule="must end in probabilities (softmax) to be fine-tuned", got=answers[0].tolist(),
            hint="add a Softmax layer",
        )  # fmt: skip
