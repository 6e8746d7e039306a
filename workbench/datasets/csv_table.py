"""Data of one's own as a CSV file: rows of a table, one column of which says the class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.core.errors import BadInputError
from workbench.datasets import checks, table_note
from workbench.datasets.base import RawData
from workbench.datasets.class_labels import classes_of, label_at
from workbench.datasets.column_learning import Dropped, learn
from workbench.datasets.csv_file import read_csv
from workbench.datasets.names import listed, shown
from workbench.datasets.splits import stratified

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from workbench.datasets.columns import Column
    from workbench.datasets.csv_file import CsvFile
    from workbench.datasets.options import ReadOptions

_TEST_SHARE = 0.2
_BYTES = 4


def read_table(path: Path, options: ReadOptions) -> RawData:
    """Read a CSV file; each column's type, categories, median and scale are learnt from the training part.

    Raises:
        BadInputError: Naming the row and column at fault.
    """
    file = read_csv(path)
    at = label_at(file, options.label)
    labels, classes = classes_of(file, at)
    rest, held = _split(labels, options.seed)
    columns, dropped = _learnt(file, at, rest, options)
    features = _features(file, columns)
    words = table_note.note(file, file.header[at], columns, dropped, options.scaling or "standard", held)
    return RawData(
        features[rest], labels[rest], features[held], labels[held], classes, words, kind="table", columns=columns
    )


def _split(labels: NDArray[np.int64], seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    order = np.random.default_rng(seed).permutation(len(labels))
    rest, held = stratified(labels[order], _TEST_SHARE)
    return np.sort(order[rest]), np.sort(order[held])


def _learnt(
    file: CsvFile, at: int, rest: NDArray[np.int64], options: ReadOptions
) -> tuple[tuple[Column, ...], tuple[Dropped, ...]]:
    others = [name for place, name in enumerate(file.header) if place != at]
    for name in options.categorical:
        if name not in others:
            raise BadInputError.of("categorical", rule=f"must name columns among {listed(others)}", got=name)
    found = [
        learn(name, file.texts(name, rest), options.scaling or "standard", categorical=name in options.categorical)
        for name in others
    ]
    dropped = tuple(each for each in found if isinstance(each, Dropped))
    columns = tuple(each for each in found if not isinstance(each, Dropped))
    if not columns:
        reasons = listed([f"{each.name} ({each.reason})" for each in dropped]) or "no other column"
        raise BadInputError.of(
            file.name, rule=f"must have a column besides {shown(file.header[at])} that tells rows apart", got=reasons
        )
    return columns, dropped


def _features(file: CsvFile, columns: tuple[Column, ...]) -> NDArray[np.float32]:
    width = sum(column.width for column in columns)
    checks.declared_bytes(file.name, width * len(file.rows) * _BYTES)
    features = np.empty((len(file.rows), width), np.float32)
    end = 0
    for column in columns:
        start, end = end, end + column.width
        features[:, start:end] = column.encoded(file.texts(column.name), file.row)
    return features
