"""Refuse samples that are no images and cannot be trained on, naming the key and the index at fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError
from workbench.datasets.checks import declared_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_BYTES, _BYTES_OF_NUMBERS = 4, 8
_TABLE_AXES = 2
_CHUNK = 4096
_LARGEST = float(np.finfo(np.float32).max)


def samples(key: str, values: NDArray[Any]) -> NDArray[Any]:
    """Check one split's samples and bring them to their stored form.

    Args:
        key: What to call them in an error, e.g. `x_train`.
        values: (N, …) of any rank from 2 on; whole numbers or floats.

    Returns:
        The same shape, int32 or float32; the values are as they were.

    Raises:
        BadInputError: Shape, dtype, size, a whole number beyond int32, or a NaN.
    """
    _require_shape(key, values, "(N, …)")
    declared_bytes(key, values.size * _BYTES)
    if values.dtype.kind in "biu":
        info = np.iinfo(np.int32)
        _require_all(key, values, lambda part: (part >= info.min) & (part <= info.max), "be a whole number of 32 bits")
        return values.astype(np.int32, copy=False)
    _require_floats(key, values)
    _require_all(key, values, _fits, "be finite and fit into float32")
    return values.astype(np.float32, copy=False)


def numbers(key: str, values: NDArray[Any]) -> NDArray[np.float64]:
    """Check one split of a table of numbers.

    Args:
        key: What to call them in an error, e.g. `x_train`.
        values: (N, columns).

    Raises:
        BadInputError: Shape, dtype, size, or a NaN.
    """
    if values.ndim != _TABLE_AXES:
        raise BadInputError.of(key, rule="must have shape (N, columns) to be a table", got=f"shape {values.shape}",
                               hint="kind='samples' takes any shape")  # fmt: skip
    _require_shape(key, values, "(N, columns)")
    declared_bytes(key, values.size * _BYTES_OF_NUMBERS)
    if values.dtype.kind not in "biu":
        _require_floats(key, values)
        _require_all(key, values, _fits, "be finite and fit into float32")
    return values.astype(np.float64)


def _require_shape(key: str, values: NDArray[Any], shape: str) -> None:
    if values.ndim < _TABLE_AXES or 0 in values.shape[1:]:
        raise BadInputError.of(key, rule=f"must have shape {shape}, with values", got=f"shape {values.shape}")
    if not len(values):
        raise BadInputError.of(key, rule="must hold at least one sample", got=f"shape {values.shape}")


def _require_floats(key: str, values: NDArray[Any]) -> None:
    if values.dtype.kind != "f":
        raise BadInputError.of(key, rule="must hold whole numbers or floats", got=f"dtype {values.dtype}",
                               hint="texts and missing values are read from CSV files")  # fmt: skip


def _fits(values: NDArray[Any]) -> NDArray[np.bool_]:
    with np.errstate(over="ignore"):  # of numbers that are wider than float64
        return np.abs(values.astype(np.float64)) <= _LARGEST  # NaN is not


def _require_all(key: str, values: NDArray[Any], rule: Callable[[NDArray[Any]], NDArray[np.bool_]], words: str) -> None:
    for start in range(0, len(values), _CHUNK):
        kept = rule(values[start : start + _CHUNK])
        if not kept.all():
            at = tuple(int(place) for place in np.argwhere(~kept)[0])
            index = (at[0] + start, *at[1:])
            raise BadInputError.of(f"{key}[{', '.join(map(str, index))}]", rule=f"must {words}",
                                   got=values[index].item())  # fmt: skip
