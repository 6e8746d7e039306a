"""What became of each column of a table, so that the same can be done to new rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from workbench.core.errors import BadInputError
from workbench.core.records.base import Record
from workbench.datasets import cells
from workbench.datasets.names import listed, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

_SHOWN_DIGITS = 6


class Column(Record):
    """One column and the features that it became; everything was learnt from the training part.

    A number is `(value − offset) / scale`, a boolean 0 or 1, a category a 1 in the place of its text among zeros.

    Attributes:
        name: What the header calls it.
        type: What it holds.
        categories: Texts of a category, in the order of its features.
        fill: Number or truth that takes the place of a missing value: the median.
        offset: The mean where the scaling is `standard`, the least value where it is `minmax`, else 0.
        scale: The standard deviation, the range, or 1.
    """

    name: str
    type: Literal["number", "boolean", "category"]
    categories: tuple[str, ...] = ()
    fill: float = 0.0
    offset: float = 0.0
    scale: float = 1.0

    @property
    def width(self) -> int:
        """How many features it became."""
        return len(self.categories) if self.type == "category" else 1

    @property
    def features(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(f"{self.name}={text}" for text in self.categories) if self.type == "category" else (self.name,)

    def encoded(self, values: Sequence[Any], row: Callable[[int], str]) -> NDArray[np.float32]:
        """Turn values into features; a missing number is filled, a category that is missing or unknown is all zeros.

        Args:
            values: (n,) texts, numbers, truths or None.
            row: Says in words which row a place among the values is.

        Returns:
            (n, width).

        Raises:
            BadInputError: A value is of another type; row, column and value are named.
        """
        if self.type == "category":
            return self._one_hot(values)
        read = cells.numbers_in(values) if self.type == "number" else map(cells.truth_in, values)
        found = np.array([np.inf if number is None else number for number in read], np.float64)
        for index in np.flatnonzero(np.abs(found) > np.finfo(np.float32).max)[:1]:
            raise self._refusal(values[index], row(int(index)))
        with np.errstate(over="ignore"):
            features = ((np.where(np.isnan(found), self.fill, found) - self.offset) / self.scale).astype(np.float32)
        for index in np.flatnonzero(~np.isfinite(features))[:1]:
            raise BadInputError.of(self._place(row(int(index))), rule="must not lie that far from the training values",
                                   got=values[index], hint="correct it")  # fmt: skip
        return features[:, None]

    def unknown(self, values: Sequence[Any]) -> tuple[str, ...]:
        """Return the texts that are none of its categories, each once."""
        if self.type != "category":
            return ()
        texts = dict.fromkeys(cells.text_of(value) for value in values if not cells.is_missing(value))
        return tuple(text for text in texts if text not in self.categories)

    def decoded(self, features: NDArray[np.float32]) -> float | bool | str | None:
        """Return the value that a sample's features stand for, a number to six digits; None is no known category."""
        if self.type == "category":
            return self.categories[int(features.argmax())] if features.any() else None
        if self.type == "boolean":
            return bool(features[0] > 0.5)  # noqa: PLR2004 - half way
        return float(f"{float(features[0]) * self.scale + self.offset:.{_SHOWN_DIGITS}g}")

    def _one_hot(self, values: Sequence[Any]) -> NDArray[np.float32]:
        places = {text: place for place, text in enumerate(self.categories)}
        found = np.zeros((len(values), len(places)), np.float32)
        for index, value in enumerate(values):
            place = None if cells.is_missing(value) else places.get(cells.text_of(value))
            if place is not None:
                found[index, place] = 1
        return found

    def _refusal(self, value: Any, row: str) -> BadInputError:
        if cells.has_decimal_comma(value):
            return BadInputError.of(
                self._place(row), rule="must be written with a decimal point", got=value,
                hint="replace decimal commas by points; groups of thousands are written together",
            )  # fmt: skip
        number = cells.number_in(value)
        if self.type == "number" and number is not None:
            return BadInputError.of(self._place(row), rule="must be finite and fit into float32", got=value,
                                    hint="correct it, or leave it empty")  # fmt: skip
        rule = "must be a number" if self.type == "number" else "must be a yes or a no"
        return BadInputError.of(
            self._place(row), rule=f"{rule} like the column's other values", got=value,
            hint=f"correct it, leave it empty, or say categorical=[{self.name!r}]",
        )  # fmt: skip

    def _place(self, row: str) -> str:
        return f"{row}, column {shown(self.name)},"


def encoded(columns: Sequence[Column], rows: Sequence[Any]) -> NDArray[np.float32]:
    """Turn new rows into features.

    Args:
        columns: Of the training part.
        rows: (n,) mappings by column, of which other keys are left alone, or sequences in the order of `columns`.

    Returns:
        (n, features).

    Raises:
        BadInputError: A row lacks a column or holds a value of another type; row, column and value are named.
    """
    table = [_in_order(columns, row, number) for number, row in enumerate(rows)]
    parts = [column.encoded([row[place] for row in table], "rows[{}]".format) for place, column in enumerate(columns)]
    return np.concatenate(parts, axis=1)


def decoded(columns: Sequence[Column], features: NDArray[np.float32]) -> dict[str, Any]:
    """Return the values that one sample's features, (features,), stand for, by column."""
    ends = np.cumsum([column.width for column in columns])
    parts = zip(columns, np.split(features, ends[:-1]), strict=True)
    return {column.name: column.decoded(part) for column, part in parts}


def _in_order(columns: Sequence[Column], row: Any, number: int) -> Sequence[Any]:
    if hasattr(row, "keys"):
        return _by_name(columns, row, number)
    if isinstance(row, str) or not hasattr(row, "__len__"):
        raise BadInputError.of(f"rows[{number}]", rule="must be a mapping by column or a list of values", got=row)
    if len(row) != len(columns):
        raise BadInputError.of(
            f"rows[{number}]", rule=f"must have {len(columns)} values, one a column ({_listed(columns)})",
            got=f"{len(row)} values",
        )  # fmt: skip
    return row  # type: ignore[no-any-return]


def _by_name(columns: Sequence[Column], row: Mapping[str, Any], number: int) -> Sequence[Any]:
    for column in columns:
        if column.name not in row:
            raise BadInputError.of(
                f"rows[{number}]", rule=f"must have the columns {_listed(columns)}", got=f"no {column.name}",
                hint="give None for what is not known",
            )  # fmt: skip
    return [row[column.name] for column in columns]


def _listed(columns: Sequence[Column]) -> str:
    return listed(column.name for column in columns)
