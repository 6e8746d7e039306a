"""What a named dataset is."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.core.plugins import Registry

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.datasets.columns import Column
    from workbench.datasets.kinds import Kind


@dataclass(frozen=True)
class RawData:
    """Arrays as a source gives them, not yet checked.

    Attributes:
        x_train: Images, (N, H, W) or (N, H, W, C); rows of a table, (N, columns); or any samples, (N, …).
        y_train: Labels, (N,).
        x_test: Samples of the test split.
        y_test: Labels of the test split.
        classes: Names of the classes in label order; None names them by their number.
        note: A sentence on where the data came from that people should see.
        kind: What the samples are; None is told from their shape.
        columns: Of a table whose rows are features already, how they were made; none are numbers still to be scaled.
        names: Of the columns of a table of numbers; none are called x0, x1, ….
    """

    x_train: NDArray[Any]
    y_train: NDArray[Any]
    x_test: NDArray[Any]
    y_test: NDArray[Any]
    classes: tuple[str, ...] | None = None
    note: str = ""
    kind: Kind | None = None
    columns: tuple[Column, ...] = ()
    names: tuple[str, ...] = ()


class DatasetSource(ABC):
    """A dataset that has a name.

    `locate` runs in the kernel and must be cheap; `read` runs in a job and may import what it likes.

    Attributes:
        title: What people call it.
        kind: What its samples are.
        revision: Counts up when `read` gives other arrays than before, so that prepared files are made anew.
        note: A sentence that people should see with the dataset.
        sound_accuracy: Test accuracy below which a training went wrong (the docs' CNN on images, the MLP on a
            table); where a gate begins.
    """

    title: ClassVar[str]
    kind: ClassVar[Kind] = "images"
    revision: ClassVar[int] = 1
    note: ClassVar[str] = ""
    sound_accuracy: ClassVar[float | None] = None

    def locate(self) -> Path | None:
        """Return the local file that the data is read from, or None where it is downloaded or built in."""
        return None

    def at_hand(self) -> bool:
        """Say whether `read` needs no network."""
        return self.locate() is not None

    @abstractmethod
    def read(self, file: Path | None) -> RawData:
        """Read the data.

        Args:
            file: What `locate` said in the process that asked.

        Raises:
            BadInputError: The data is not to be had; the sentence names the ways out.
            MissingExtraError: A package is needed that is not installed.
        """


def data_file(name: str) -> Path | None:
    """Return `WORKBENCH_DATA/<name>` if the variable is set and there is such a file."""
    folder = os.environ.get("WORKBENCH_DATA")
    if not folder:
        return None
    file = Path(folder).expanduser().absolute() / name
    return file if file.is_file() else None


SOURCES: Registry[DatasetSource] = Registry("datasets", "workbench.datasets", DatasetSource)  # type: ignore[type-abstract]
