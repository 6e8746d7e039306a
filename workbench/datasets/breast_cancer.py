"""Breast cancer (scikit-learn)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from workbench.datasets.base import DatasetSource, RawData
from workbench.datasets.sklearn_table import sklearn_table

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.datasets.kinds import Kind


class BreastCancer(DatasetSource):
    """569 tumours, malignant or benign, by 30 measurements of their cells' nuclei; needs no network."""

    title: ClassVar[str] = "Breast cancer (scikit-learn)"
    kind: ClassVar[Kind] = "table"
    sound_accuracy: ClassVar[float | None] = 0.9
    note: ClassVar[str] = (
        "569 tumours by 30 measurements of cell nuclei (UCI, Wisconsin) that ship inside scikit-learn: a table, so mlp "
        "is the network that fits."
    )

    def at_hand(self) -> bool:
        """Say yes: it is part of a package of ours."""
        return True

    def read(self, file: Path | None) -> RawData:
        """Read and split it; `file` is not used."""
        del file
        return sklearn_table("breast_cancer", self.note)
