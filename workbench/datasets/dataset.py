"""A prepared dataset: opened in no time, read only where it is touched."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from workbench.core.errors import BadInputError, WorkspaceError
from workbench.core.workspace import Workspace, read_json
from workbench.datasets import content
from workbench.datasets.base import RawData
from workbench.datasets.splits import stratified

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

Split = Literal["train", "test"]


@dataclass(frozen=True)
class Dataset:
    """Images and labels in the workspace's cache, memory-mapped.

    Attributes:
        name: What it is called.
        checksum: sha256 (hex) of its content; where it came from plays no part.
        classes: Names in label order.
        shape: Of one image, (H, W, C).
        train_size: Count of training samples.
        test_size: Count of test samples.
        note: A sentence on the data that people should see; may be empty.
        folder: Where it lies, absolute.
    """

    name: str
    checksum: str
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    train_size: int
    test_size: int
    note: str
    folder: Path

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Dataset:
        """Open a prepared folder; no job, no framework, nothing read but its description.

        Raises:
            WorkspaceError: The folder is gone or not whole.
        """
        path = Path(folder).absolute()
        if not content.intact(path):
            raise WorkspaceError(
                f"{path} must hold a prepared dataset, got a folder that is missing or not whole; "
                "prepare it with `load_dataset`."
            )
        facts = read_json(path / content.DESCRIPTION)
        return cls(
            name=facts["name"],
            checksum=facts["checksum"],
            classes=tuple(facts["classes"]),
            shape=tuple(facts["shape"]),
            train_size=facts["train"],
            test_size=facts["test"],
            note=facts["note"],
            folder=path,
        )

    @classmethod
    def open_spec(cls, spec: dict[str, Any], workspace: Workspace | None = None) -> Dataset:
        """Open the dataset that a stage's settings name.

        Args:
            spec: What `Dataset.spec` gave, in this or another process.
            workspace: The workspace it was prepared in.

        Raises:
            WorkspaceError: It is not in this workspace.
        """
        home = (workspace or Workspace.default()).cache / "datasets"
        return cls.open(home / f"{spec['name']}-{spec['checksum'][:12]}")

    @classmethod
    def from_arrays(
        cls,
        x_train: NDArray[Any],
        y_train: NDArray[Any],
        x_test: NDArray[Any],
        y_test: NDArray[Any],
        *,
        name: str = "arrays",
        classes: tuple[str, ...] | None = None,
        workspace: Workspace | None = None,
    ) -> Dataset:
        """Check arrays and write them to the cache, here: they are in this process already.

        Args:
            x_train: (N, H, W) or (N, H, W, C) with C 1 or 3; whole grey levels 0..255 or floats in [0, 1].
            y_train: (N,) whole numbers 0..k−1.
            x_test: Images of the test split.
            y_test: Labels of the test split.
            name: What to call it: letters, digits, `_` and `-`.
            classes: Names in label order.
            workspace: Where to.

        Raises:
            BadInputError: Naming the array, and the index where one sample is at fault.
            WorkspaceError: The disk refused it.
        """
        if not name or name != safe_name(name):
            raise BadInputError.of("name", rule="must be made of letters, digits, _ and -", got=name)
        raw = RawData(
            np.asarray(x_train),
            np.asarray(y_train),
            np.asarray(x_test),
            np.asarray(y_test),
            tuple(classes) if classes is not None else None,
        )
        return cls.open(content.store(workspace or Workspace.default(), name, content.Content.checked(raw)))

    @property
    def spec(self) -> dict[str, Any]:
        """Plain JSON that names this dataset in a stage's settings."""
        return {"name": self.name, "checksum": self.checksum}

    @cached_property
    def x_train(self) -> NDArray[Any]:
        """Training images, (N, H, W, C), uint8 grey levels or float32 in [0, 1], memory-mapped."""
        return self._array("x_train")

    @cached_property
    def y_train(self) -> NDArray[np.int64]:
        """Training labels, (N,), memory-mapped."""
        return self._array("y_train")

    @cached_property
    def x_test(self) -> NDArray[Any]:
        """Test images, (N, H, W, C), uint8 grey levels or float32 in [0, 1], memory-mapped."""
        return self._array("x_test")

    @cached_property
    def y_test(self) -> NDArray[np.int64]:
        """Test labels, (N,), memory-mapped."""
        return self._array("y_test")

    def floats(self, split: Split, index: Any = slice(None)) -> NDArray[np.float32]:
        """Return images as float32 in [0, 1]; only the ones asked for are read.

        Args:
            split: Which split.
            index: Slice, index array or boolean mask over the samples.
        """
        values = (self.x_train if split == "train" else self.x_test)[index]
        if values.dtype == np.float32:
            return np.array(values)
        return np.asarray(values, dtype=np.float32) / np.float32(255)

    def labels(self, split: Split, index: Any = slice(None)) -> NDArray[np.int64]:
        """Return labels of a split as int64."""
        return np.array((self.y_train if split == "train" else self.y_test)[index])

    def validation_split(self, share: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Split the training samples; the same share always gives the same split.

        Args:
            share: Part of each class to hold back, in (0, 1).

        Returns:
            Indices into the training split: to train on, to validate on.
        """
        return stratified(self.y_train, share)

    def _array(self, name: str) -> NDArray[Any]:
        array: NDArray[Any] = np.load(self.folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        return array


def safe_name(text: str) -> str:
    """Return a name that may stand in a folder's name."""
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "_-") else "_" for letter in text)
    return kept[:64] or "dataset"
