"""Tell the classes from a column of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.core.errors import BadInputError
from workbench.datasets import cells
from workbench.datasets.checks import MOST_CLASSES
from workbench.datasets.names import listed, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from workbench.datasets.csv_file import CsvFile

FEWEST_ROWS = 5
_NAMES = ("label", "class", "target", "y")
_MOST_FRACTIONS = 20
_ONLY_CLASSES = "only classification is supported, not regression: put the numbers into a few classes first"


def label_at(file: CsvFile, name: str | None) -> int:
    """Return which column holds the classes: the one that is named, else the only one called label, class, target or y.

    Raises:
        BadInputError: There is no such column, or no name was given and none or several could be meant.
    """
    if name is not None and name in file.header:
        return file.header.index(name)
    meant = [place for place, each in enumerate(file.header) if each.casefold() in _NAMES]
    if name is None and len(meant) == 1:
        return meant[0]
    rule = f"must be one of {file.name}'s columns ({listed(file.header)})"
    raise BadInputError.of("label", rule=rule, got=name, hint="say label='…', or call it label" if name is None else "")


def classes_of(file: CsvFile, at: int) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return labels, (N,), and the names of the classes: numbers in their order, else texts in alphabetical order.

    Raises:
        BadInputError: A label is missing, or there are too many classes, too few, or too few rows of one.
    """
    column, texts = shown(file.header[at]), [row[at] for row in file.rows]
    for index, text in enumerate(texts):
        if cells.is_missing(text):
            raise BadInputError.of(f"{file.row(index)}, label column {column},", rule="must say the row's class",
                                   got=text, hint="fill it in or remove the row")  # fmt: skip
    names, place = _numbered(texts) or _named(texts)
    where = f"{file.name}, label column {column},"
    if len(names) > MOST_CLASSES:
        raise BadInputError.of(where, rule=f"must hold at most {MOST_CLASSES} classes", got=f"{len(names)} different",
                               hint=_ONLY_CLASSES)  # fmt: skip
    if len(names) > _MOST_FRACTIONS and _are_fractions(names):
        raise BadInputError.of(where, rule="must hold classes", got=f"{len(names)} different numbers",
                               hint=_ONLY_CLASSES)  # fmt: skip
    if len(names) == 1:
        raise BadInputError.of(where, rule="must hold at least 2 classes", got=f"only {names[0]}")
    labels = np.array([place[text] for text in texts], np.int64)
    counts = np.bincount(labels, minlength=len(names))
    if counts.min() < FEWEST_ROWS:
        least = int(counts.argmin())
        raise BadInputError.of(
            where, rule=f"must hold at least {FEWEST_ROWS} rows of each class",
            got=f"{names[least]}: {counts[least]}", hint="add rows, or merge or remove the class",
        )  # fmt: skip
    return labels, names


def _numbered(texts: Sequence[str]) -> tuple[tuple[str, ...], dict[str, int]] | None:
    values = {text: cells.number_in(text) for text in dict.fromkeys(texts)}
    if not all(value is not None and np.isfinite(value) for value in values.values()):
        return None
    numbers = sorted({value for value in values.values() if value is not None})
    order = {number: place for place, number in enumerate(numbers)}
    names = tuple(cells.text_of(number) for number in numbers)
    return names, {text: order[value] for text, value in values.items() if value is not None}


def _named(texts: Sequence[str]) -> tuple[tuple[str, ...], dict[str, int]]:
    names = tuple(sorted(dict.fromkeys(texts)))
    return names, {name: place for place, name in enumerate(names)}


def _are_fractions(names: Sequence[str]) -> bool:
    numbers = [cells.number_in(name) for name in names]
    return all(number is not None for number in numbers) and any(not number.is_integer() for number in numbers)  # type: ignore[union-attr]
