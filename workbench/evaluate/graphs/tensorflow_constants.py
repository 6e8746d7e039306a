"""What TensorFlow calculates with constants alone: Keras 3 writes a batch normalization out as a few operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from workbench.evaluate.graphs.protobuf import Message

_TWO: dict[str, Callable[..., NDArray[Any]]] = {
    "Add": np.add, "AddV2": np.add, "Sub": np.subtract, "Mul": np.multiply, "RealDiv": np.divide,
    "Maximum": np.maximum, "Minimum": np.minimum,
}  # fmt: skip
_ONE: dict[str, Callable[..., NDArray[Any]]] = {
    "Neg": np.negative, "Sqrt": np.sqrt, "Rsqrt": lambda values: 1 / np.sqrt(values), "Cast": np.asarray,
}  # fmt: skip
_MOVED = ("Reshape", "Squeeze", "ExpandDims", "Transpose")
CALCULATED = frozenset((*_TWO, *_ONE, *_MOVED))


def calculated(operator: str, attributes: dict[str, Message], given: list[NDArray[Any]]) -> NDArray[Any] | None:
    """Return the result of an operation whose inputs are all constant; None where one is missing.

    Args:
        operator: One of `CALCULATED`.
        attributes: Its `AttrValue` messages.
        given: Its inputs.
    """
    if operator in _TWO and len(given) == 2:  # noqa: PLR2004 - both
        return _TWO[operator](*given)
    if operator in _ONE and len(given) == 1:
        return _ONE[operator](given[0])
    if operator == "Squeeze" and len(given) == 1:
        axes = attributes["squeeze_dims"].message(1).numbers(3) if "squeeze_dims" in attributes else []
        return given[0].squeeze(tuple(axes) or None)
    if operator in _MOVED and len(given) == 2:  # noqa: PLR2004 - the tensor and how
        return _moved(operator, given[0], [int(number) for number in given[1].ravel()])
    return None


def _moved(operator: str, values: NDArray[Any], how: list[int]) -> NDArray[Any]:
    if operator == "Reshape":
        return values.reshape(how)
    return np.expand_dims(values, tuple(how)) if operator == "ExpandDims" else values.transpose(how)
