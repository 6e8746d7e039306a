"""A model's answer to each sample of a split, so that the samples behind a figure can be looked at."""

from __future__ import annotations

import contextlib
import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.errors import WorkspaceError
from workbench.core.workspace import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FILE = "answers.npz"


@dataclass(frozen=True)
class Answers:
    """What was answered, and how sure the model said it was; a few bytes a sample.

    Attributes:
        predicted: (samples,) class indices, uint16.
        confidence: (samples,) largest probability, float32, in [0, 1].
    """

    predicted: NDArray[np.uint16]
    confidence: NDArray[np.float32]

    @classmethod
    def of(cls, probabilities: NDArray[np.float64]) -> Answers:
        """Take the answers from (samples, classes) probabilities."""
        return cls(probabilities.argmax(axis=1).astype(np.uint16), probabilities.max(axis=1).astype(np.float32))

    def write(self, folder: Path) -> None:
        """Keep them in a folder.

        Raises:
            WorkspaceError: The disk refused it.
        """
        out = io.BytesIO()
        np.savez_compressed(out, predicted=self.predicted, confidence=self.confidence)
        write_atomic(folder / FILE, out.getvalue())

    @classmethod
    def read(cls, folder: Path, samples: int) -> Answers | None:
        """Return what was kept, or None where nothing was: an evaluation of an older version has none.

        Args:
            folder: Of the evaluation's result.
            samples: How many there must be.

        Raises:
            WorkspaceError: The file is damaged.
        """
        path = folder / FILE
        if not path.is_file():
            return None
        found = None
        with contextlib.suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            file = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
            found = cls(file["predicted"], file["confidence"])
        if found is None or not found.predicted.shape == found.confidence.shape == (samples,):
            raise WorkspaceError(f"{path} is damaged; delete the run's folder and evaluate again.")
        return found

    def cell(self, truth: NDArray[np.int64], row: int, column: int) -> NDArray[np.int64]:
        """Return which samples of a class were given a label, the surest first."""
        index = np.flatnonzero((truth == row) & (self.predicted == column))
        return index[np.argsort(-self.confidence[index], kind="stable")]

    def worst(self, truth: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which samples were answered wrongly, those first of which the model was surest."""
        index = np.flatnonzero(self.predicted != truth)
        return index[np.argsort(-self.confidence[index], kind="stable")]
