"""A table that comes as arrays of numbers: scaled by its training part."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.errors import BadInputError
from workbench.datasets import sample_checks
from workbench.datasets.column_learning import number_columns
from workbench.datasets.csv_file import MOST_COLUMNS
from workbench.datasets.names import is_utf8

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from workbench.datasets.base import RawData
    from workbench.datasets.columns import Column
    from workbench.datasets.scaling import Scale


def scaled(raw: RawData, scale: Scale) -> RawData:
    """Return the table with its rows as features and its columns as they were learnt.

    Raises:
        BadInputError: Naming the array and index at fault, or the names.
    """
    train, test = (sample_checks.numbers(key, getattr(raw, key)) for key in ("x_train", "x_test"))
    width = train.shape[1]
    if test.shape[1] != width:
        raise BadInputError.of("x_test", rule=f"must have {width} columns like x_train", got=test.shape[1])
    if width > MOST_COLUMNS:
        raise BadInputError.of("x_train", rule=f"must have at most {MOST_COLUMNS:,} columns to be a table", got=width,
                               hint="kind='samples' takes more and leaves them as they are")  # fmt: skip
    names = raw.names or tuple(f"x{number}" for number in range(width))
    _require_names(names, width)
    columns = number_columns(names, train, scale)
    return replace(
        raw, x_train=_features("x_train", train, columns), x_test=_features("x_test", test, columns), columns=columns
    )


def _features(key: str, values: NDArray[np.float64], columns: Sequence[Column]) -> NDArray[np.float32]:
    # The very arithmetic of `Column.encoded`, for all columns at once.
    offsets, scales = np.array([each.offset for each in columns]), np.array([each.scale for each in columns])
    with np.errstate(over="ignore"):
        features: NDArray[np.float32] = ((values - offsets) / scales).astype(np.float32)
    for row, place in np.argwhere(~np.isfinite(features))[:1]:
        raise BadInputError.of(f"{key}[{row}, {place}]", rule="must not lie that far from the training values",
                               got=float(values[row, place]))  # fmt: skip
    return features


def _require_names(names: Sequence[str], width: int) -> None:
    if len(names) != width:
        raise BadInputError.of("columns", rule=f"must name x_train's {width} columns", got=f"{len(names)} names")
    for index, name in enumerate(names):
        if not isinstance(name, str) or not name.strip() or not is_utf8(name):
            raise BadInputError.of(f"columns[{index}]", rule="must be a name", got=name)
        if name in names[:index]:
            raise BadInputError.of(f"columns[{index}]", rule="must be a name that no other column has", got=name)
