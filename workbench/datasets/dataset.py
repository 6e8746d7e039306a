"""A prepared dataset: opened in no time, read only where it is touched."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from workbench.core.errors import BadInputError, WorkspaceError
from workbench.core.workspace import Workspace, read_json
from workbench.datasets import columns as tables
from workbench.datasets import content
from workbench.datasets.base import RawData
from workbench.datasets.columns import Column
from workbench.datasets.splits import stratified

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from workbench.datasets.kinds import Kind
    from workbench.datasets.scaling import Scale

Split = Literal["train", "test"]


@dataclass(frozen=True)
class Dataset:
    """Samples and labels in the workspace's cache, memory-mapped.

    Attributes:
        name: What it is called.
        checksum: sha256 (hex) of its content; where it came from plays no part.
        classes: Names in label order.
        shape: Of one sample: (H, W, C) of an image, (features,) of a table's row, anything of other samples.
        train_size: Count of training samples.
        test_size: Count of test samples.
        note: A sentence on the data that people should see; may be empty.
        folder: Where it lies, absolute.
        kind: What the samples are.
        columns: How a table's features were made of its rows, learnt from the training part; `transform` does the same
            to new rows.
    """

    name: str
    checksum: str
    classes: tuple[str, ...]
    shape: tuple[int, ...]
    train_size: int
    test_size: int
    note: str
    folder: Path
    kind: Kind = "images"
    columns: tuple[Column, ...] = field(default=(), repr=False)

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
            kind=facts.get("kind", "images"),
            columns=tuple(Column.from_json(column) for column in facts.get("columns", ())),
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
        home = Workspace.of(workspace).cache / "datasets"
        return cls.open(home / f"{spec['name']}-{spec['checksum'][:12]}")

    @classmethod
    def from_arrays(  # noqa: PLR0913 - four arrays, and what they are
        cls,
        x_train: NDArray[Any],
        y_train: NDArray[Any],
        x_test: NDArray[Any],
        y_test: NDArray[Any],
        *,
        name: str = "arrays",
        classes: tuple[str, ...] | None = None,
        kind: Kind | None = None,
        columns: Sequence[str] = (),
        scaling: Scale | None = None,
        workspace: Workspace | None = None,
    ) -> Dataset:
        """Check arrays and write them to the cache, here: they are in this process already.

        Args:
            x_train: Images, (N, H, W) or (N, H, W, C) with C 1 or 3, whole grey levels 0..255 or floats in [0, 1]; a
                table of numbers, (N, columns), which is scaled; or samples, (N, …), which are kept as they are.
            y_train: (N,) whole numbers 0..k−1.
            x_test: Samples of the test split.
            y_test: Labels of the test split.
            name: What to call it: letters, digits, `_` and `-`.
            classes: Names in label order.
            kind: `images`, `table` or `samples`; None is a table for arrays of two axes, images for three and four.
            columns: Names of a table's columns; none are called x0, x1, ….
            scaling: Of a table by its training part: `standard`, `minmax` or `none`; None is `standard`.
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
            kind=kind,
            names=tuple(columns),
        )
        return cls.open(content.store(Workspace.of(workspace), name, content.Content.checked(raw, scaling)))

    @property
    def spec(self) -> dict[str, Any]:
        """Plain JSON that names this dataset in a stage's settings."""
        return {"name": self.name, "checksum": self.checksum}

    @cached_property
    def x_train(self) -> NDArray[Any]:
        """Training samples, (N, *shape), memory-mapped: uint8 grey levels, float32 or int32."""
        return self._array("x_train")

    @cached_property
    def y_train(self) -> NDArray[np.int64]:
        """Training labels, (N,), memory-mapped."""
        return self._array("y_train")

    @cached_property
    def x_test(self) -> NDArray[Any]:
        """Test samples, (N, *shape), memory-mapped: uint8 grey levels, float32 or int32."""
        return self._array("x_test")

    @cached_property
    def y_test(self) -> NDArray[np.int64]:
        """Test labels, (N,), memory-mapped."""
        return self._array("y_test")

    def floats(self, split: Split, index: Any = slice(None)) -> NDArray[np.float32]:
        """Return samples as float32, images in [0, 1]; only the ones asked for are read.

        Args:
            split: Which split.
            index: Slice, index array or boolean mask over the samples.
        """
        stored = np.asarray((self.x_train if split == "train" else self.x_test)[index])
        return np.array(stored) if stored.dtype == np.float32 else content.as_floats(stored)

    def labels(self, split: Split, index: Any = slice(None)) -> NDArray[np.int64]:
        """Return labels of a split as int64."""
        return np.array((self.y_train if split == "train" else self.y_test)[index])

    def transform(self, rows: Sequence[Mapping[str, Any] | Sequence[Any]]) -> NDArray[np.float32]:
        """Turn new rows into what a model of this table takes, as its own rows were.

        Args:
            rows: (n,) values by column, as texts, numbers, truths or None, or lists in the order of `columns`. A
                missing number is filled, a category that is missing or unknown is all zeros.

        Returns:
            (n, features).

        Raises:
            BadInputError: It is no table, a row lacks a column, or a value is of another type; it is named.
        """
        if not self.columns:
            raise BadInputError.of("dataset", rule="must be a table to transform rows", got=f"{self.name}: {self.kind}")
        return tables.encoded(self.columns, rows)

    def row(self, split: Split, index: int) -> dict[str, Any]:
        """Return the values by column that a table's sample stands for, numbers to six digits; {} of other samples."""
        return tables.decoded(self.columns, self.floats(split, index)) if self.columns else {}

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
