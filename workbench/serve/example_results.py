"""What a model answered for a list of `tf.Example`s: classes with their scores, or one value each.

The names and bounds of the outputs are TensorFlow's for signatures to classify and to regress.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any

from workbench.serve.signature import type_name_of
from workbench.serve.status import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    Array = np.ndarray[Any, Any]

CLASSES = "classes"
SCORES = "scores"
VALUES = "outputs"

_MATRIX = 2


def read_classes(outputs: Mapping[str, Array], count: int) -> list[list[tuple[str, float]]]:
    """Return the classes of each example and their scores.

    Args:
        outputs: Of the model, by name: `classes` (strings, [count, classes]), `scores` (float32, same shape), or both.
        count: Number of examples.

    Returns:
        For each example (label, score) pairs; an empty label or 0.0 where the model does not say.

    Raises:
        RequestError: INVALID_ARGUMENT, the outputs are of another form.
    """
    classes, scores = outputs.get(CLASSES), outputs.get(SCORES)
    if classes is None and scores is None:
        raise invalid(
            f'Expected classification signature outputs to contain at least one of "{CLASSES}" or "{SCORES}".'
        )
    if classes is not None:
        _check_matrix(CLASSES, classes, "O", "DT_STRING", count)
    if scores is not None:
        _check_matrix(SCORES, scores, "f", "DT_FLOAT", count)
    if classes is not None and scores is not None and classes.shape != scores.shape:
        raise invalid(
            f"Tensors class and score should match in dim_size(1). Got {classes.shape[1]} vs. {scores.shape[1]}"
        )
    labels = repeat(repeat("")) if classes is None else [[_text(one) for one in row] for row in classes.tolist()]
    values = repeat(repeat(0.0)) if scores is None else scores.tolist()
    return [list(zip(names, row, strict=False)) for names, row in zip(labels, values, strict=False)]


def read_values(outputs: Mapping[str, Array], count: int) -> list[float]:
    """Return the value of each example.

    Args:
        outputs: Of the model, by name: `outputs` (float32, [count] or [count, 1]).
        count: Number of examples.

    Raises:
        RequestError: INVALID_ARGUMENT, the output is of another form.
    """
    array = outputs.get(VALUES)
    if array is None:
        raise invalid("No regression outputs found in SignatureDef")
    if array.shape not in ((array.size,), (array.size, 1)):
        raise invalid(f"Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got {_of(array)}")
    if array.size != count:
        raise invalid(f"Input batch size did not match output batch size: {count} vs. {array.size}")
    if array.dtype.kind != "f":
        raise invalid(f"Expected output Tensor of DT_FLOAT. Got: {type_name_of(array.dtype)}")
    return [float(value) for value in array.ravel().tolist()]


def _check_matrix(name: str, array: Array, kind: str, type_name: str, count: int) -> None:
    if array.ndim != _MATRIX:
        raise invalid(f"Expected Tensor shape: [batch_size num_classes] but got {_of(array)}")
    if (array.dtype.kind if array.dtype.kind not in "SU" else "O") != kind:
        raise invalid(f"Expected {name} Tensor of {type_name}. Got: {type_name_of(array.dtype)}")
    if array.shape[0] != count:
        raise invalid(f"Expected {name} output batch size of {count}. Got: {array.shape[0]}")


def _text(label: Any) -> str:
    return label.decode(errors="replace") if isinstance(label, bytes) else str(label)


def _of(array: Array) -> str:
    return f"[{','.join(map(str, array.shape))}]"
