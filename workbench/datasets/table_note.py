"""What a person should know of how a table was read, in plain sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.datasets import cells
from workbench.datasets.names import listed, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from workbench.datasets.column_learning import Dropped
    from workbench.datasets.columns import Column
    from workbench.datasets.csv_file import CsvFile
    from workbench.datasets.scaling import Scale

SCALED: dict[Scale, str] = {
    "standard": "scaled by mean and standard deviation of the training part",
    "minmax": "scaled by their range in the training part",
    "none": "not scaled",
}


def note(
    file: CsvFile,
    label: str,
    columns: Sequence[Column],
    dropped: Sequence[Dropped],
    scale: Scale,
    held: NDArray[np.int64],
) -> str:
    """Say what each column is taken for, what was dropped, filled or unknown, and how rows were split.

    Args:
        file: The rows.
        label: Name of the column of classes.
        columns: Those that became features.
        dropped: Those that did not.
        scale: How numbers were scaled.
        held: Indices of the test split's rows.
    """
    of_type = {
        kind: [column.name for column in columns if column.type == kind] for kind in ("number", "boolean", "category")
    }
    filled: list[str] = []
    zeros: list[str] = []
    unknown: list[str] = []
    for column in columns:
        texts = file.texts(column.name)
        missing = sum(map(cells.is_missing, texts))
        if missing and column.type == "category":
            zeros.append(f"{column.name} ({missing})")
        elif missing:
            filled.append(f"{column.name} ({missing}, by {column.fill:g})")
        if new := column.unknown([texts[index] for index in held]):
            unknown.append(f"{column.name} ({listed(new)})")
    said = [
        (f"Numbers, {SCALED[scale]}", of_type["number"]),
        ("Yes or no", of_type["boolean"]),
        ("Categories", [f"{column.name} ({column.width})" for column in columns if column.type == "category"]),
        ("Dropped", [f"{each.name} ({each.reason})" for each in dropped]),
        ("Missing, filled by the training median", filled),
        ("Missing, left as zeros", zeros),
        ("Only in the test split, left as zeros", unknown),
    ]
    parts = [f"{words}: {listed(names)}." for words, names in said if names]
    return " ".join([f"The label of {file.name} is {shown(label)}.", *parts, "A fifth of each class is the test."])
