"""Wine (scikit-learn)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from workbench.datasets.base import DatasetSource, RawData
from workbench.datasets.sklearn_table import sklearn_table

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.datasets.kinds import Kind


class Wine(DatasetSource):
    """178 wines of three growers by 13 chemical measurements; needs no network."""

    title: ClassVar[str] = "Wine (scikit-learn)"
    kind: ClassVar[Kind] = "table"
    sound_accuracy: ClassVar[float | None] = 0.9
    note: ClassVar[str] = (
        "178 wines by 13 measurements (UCI) that ship inside scikit-learn: a table, so mlp is the network that fits; "
        "one of its 36 test rows is 2.8 points."
    )

    def at_hand(self) -> bool:
        """Say yes: it is part of a package of ours."""
        return True

    def read(self, file: Path | None) -> RawData:
        """Read and split it; `file` is not used."""
        del file
        return sklearn_table("wine", self.note)
