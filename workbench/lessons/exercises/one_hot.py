"""Write labels as one-hot rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.language import _
from workbench.lessons.base import Exercise

if TYPE_CHECKING:
    from numpy.typing import NDArray


class OneHot(Exercise):
    """A pair: labels, and a row of zeros with a single one for each."""

    def fault(self, answer: Any) -> str:
        """Return what is wrong with the rows."""
        if not (isinstance(answer, tuple) and len(answer) == 2):  # noqa: PLR2004
            return _("Give two things: (the labels, their one-hot rows).")
        labels, rows = np.asarray(answer[0]), np.asarray(answer[1])
        return _ill_formed(labels, rows) or _wrong(labels, rows)


def _ill_formed(labels: NDArray[Any], rows: NDArray[Any]) -> str:
    if labels.ndim != 1 or not labels.size or labels.dtype.kind not in "iu":
        return _("The labels must be whole numbers, one a sample.")
    if rows.ndim != 2 or len(rows) != len(labels):  # noqa: PLR2004 - a row a label
        return _("There must be one row a label, got the shape {shape}.").format(shape=rows.shape)
    if rows.dtype.kind != "f":
        return _("The rows must be floats, got {dtype}.").format(dtype=rows.dtype)
    return ""


def _wrong(labels: NDArray[Any], rows: NDArray[Any]) -> str:
    if not (np.isin(rows, (0.0, 1.0)).all() and (rows.sum(axis=1) == 1).all()):
        return _("Each row must hold a single 1 and else 0.")
    misplaced = np.flatnonzero(rows.argmax(axis=1) != labels)
    return _("Row {row} has its 1 in the wrong column.").format(row=misplaced[0]) if misplaced.size else ""
