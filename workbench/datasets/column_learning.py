"""Tell what a column holds from its training part alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.datasets import cells, scaling
from workbench.datasets.columns import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from workbench.datasets.scaling import Scale

MOST_CATEGORIES, MOST_SAID_TO_BE = 64, 1000
_FEW_CATEGORIES = 8
_FEWEST_TOLD_APART = 2
_FIRST_ROW_NUMBERS = 10


@dataclass(frozen=True)
class Dropped:
    """A column that teaches nothing, and why."""

    name: str
    reason: str


def learn(name: str, values: Sequence[str], scale: Scale, *, categorical: bool = False) -> Column | Dropped:
    """Look at a column's training rows.

    Numbers are a number even where some texts are among them, which then are refused one by one when they are
    encoded: a typing error must not turn a number into a category.

    Args:
        name: Of the column.
        values: Texts of the training rows.
        scale: How numbers are scaled.
        categorical: Somebody says that it is a category.
    """
    present = [value for value in values if not cells.is_missing(value)]
    texts = dict.fromkeys(present)
    if len(texts) < _FEWEST_TOLD_APART:
        return Dropped(name, "always the same" if texts else "empty")
    most = MOST_SAID_TO_BE
    if not categorical:
        # A name that hardly ever comes twice is no category.
        most = min(MOST_CATEGORIES, max(_FEW_CATEGORIES, len(present) // 2))
        read = cells.numbers_in(present)
        numbers = [number for number in read if number is not None]
        others = [value for value, number in zip(present, read, strict=True) if number is None]
        if 2 * (len(numbers) + sum(map(cells.has_decimal_comma, others))) > len(present):
            return _number(name, values, numbers, scale)
        if all(map(cells.is_truth_word, texts)):
            return _boolean(name, present)
    if len(texts) > most:
        return Dropped(name, f"{len(texts):,} different texts")
    return Column(name=name, type="category", categories=tuple(sorted({cells.text_of(text) for text in texts})))


def number_columns(names: Sequence[str], values: NDArray[np.float64], scale: Scale) -> tuple[Column, ...]:
    """Return the columns of a table of numbers.

    Args:
        names: Of the columns.
        values: (N, columns) of the training part; finite.
        scale: How they are scaled.
    """
    offsets, scales = scaling.learnt(values, scale)
    fills = np.median(values, axis=0)
    return tuple(
        Column(name=name, type="number", fill=float(fill), offset=float(offset), scale=float(width))
        for name, fill, offset, width in zip(names, fills, offsets, scales, strict=True)
    )


def _number(name: str, values: Sequence[str], present: list[float], scale: Scale) -> Column | Dropped:
    known = np.array([number for number in present if cells.is_storable(number)], np.float64)
    if len(known) == len(present) and known.min() == known.max():  # 1 and 1.0 are two texts
        return Dropped(name, "always the same")
    if _are_row_numbers(name, known):
        return Dropped(name, "numbers of rows")
    fill = float(np.median(known)) if len(known) else 0.0
    if len(known) < _FEWEST_TOLD_APART:
        return Column(name=name, type="number", fill=fill)  # its texts are refused when they are encoded
    filled = np.concatenate([known, np.full(len(values) - len(known), fill)])
    offset, width = scaling.learnt(filled[:, None], scale)
    return Column(name=name, type="number", fill=fill, offset=float(offset[0]), scale=float(width[0]))


def _are_row_numbers(name: str, known: NDArray[np.float64]) -> bool:
    if len(known) < _FEWEST_TOLD_APART or len(np.unique(known)) < len(known) or (known != np.floor(known)).any():
        return False
    # The test part's rows are missing, so numbers that only count up have gaps.
    counts_up = bool((np.diff(known) > 0).all()) and known[-1] - known[0] < 2 * len(known)
    word = name.casefold()
    called_so = word in ("id", "index") or word.endswith(("_id", " id")) or word.startswith("unnamed: ")
    return called_so or (counts_up and 0 <= known[0] < _FIRST_ROW_NUMBERS)


def _boolean(name: str, present: list[str]) -> Column:
    truths = np.array([cells.truth_in(value) for value in present], np.float64)
    return Column(name=name, type="boolean", fill=float(np.median(truths)))
