"""Checked data, its checksum, and how it is written to the cache."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError
from workbench.core.workspace import read_json, write_json, writing
from workbench.datasets import checks, number_table, sample_checks
from workbench.datasets.kinds import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from workbench.core.workspace import Workspace
    from workbench.datasets.base import RawData
    from workbench.datasets.columns import Column
    from workbench.datasets.dataset import Dataset
    from workbench.datasets.kinds import Kind
    from workbench.datasets.scaling import Scale

DESCRIPTION = "dataset.json"
ARRAYS = ("x_train", "y_train", "x_test", "y_test")
_PARTIAL = ".partial-"
_STALE_AFTER_S = 24 * 3600


@dataclass(frozen=True)
class Content:
    """Data that holds every rule.

    Attributes:
        x_train: Images, (N, H, W, C), uint8 grey levels or float32 in [0, 1]; a table's features, (N, features),
            float32; or samples, (N, …), float32 or int32. The test split has the same dtype.
        y_train: (N,), int64, 0..k−1.
        x_test: Samples of the test split.
        y_test: Labels of the test split.
        classes: k names.
        note: What people should see with the dataset.
        kind: What the samples are.
        columns: How a table's features were made.
    """

    x_train: NDArray[Any]
    y_train: NDArray[np.int64]
    x_test: NDArray[Any]
    y_test: NDArray[np.int64]
    classes: tuple[str, ...]
    note: str
    kind: Kind = "images"
    columns: tuple[Column, ...] = ()

    @classmethod
    def checked(cls, raw: RawData, scale: Scale | None = None) -> Content:
        """Check raw arrays, and scale a table of numbers by its training part.

        Args:
            raw: The arrays.
            scale: How; None is `standard`.

        Raises:
            BadInputError: Naming the key, and the index where one sample is at fault.
        """
        kind = kind_of(raw.x_train.ndim, raw.kind)
        for name, value in (("columns", raw.names), ("scaling", scale)):
            if value and kind != "table":
                raise BadInputError.of(name, rule=f"must be left out for {kind}", got=value,
                                       hint="only a table has columns that are scaled")  # fmt: skip
        if kind == "table" and not raw.columns:
            raw = number_table.scaled(raw, scale or "standard")
        check = checks.images if kind == "images" else sample_checks.samples
        x_train, x_test = check("x_train", raw.x_train), check("x_test", raw.x_test)
        if x_train.shape[1:] != x_test.shape[1:]:
            what = "images" if kind == "images" else "samples"
            raise BadInputError.of("x_test", rule=f"must hold {what} like x_train's {x_train.shape[1:]}",
                                          got=x_test.shape[1:])  # fmt: skip
        if x_train.dtype != x_test.dtype:
            x_train, x_test = as_floats(x_train), as_floats(x_test)
        y_train = checks.labels("y_train", raw.y_train, "x_train", len(x_train))
        y_test = checks.labels("y_test", raw.y_test, "x_test", len(x_test))
        count = checks.class_count(y_train, y_test, raw.classes)
        classes = raw.classes or tuple(str(number) for number in range(count))
        return cls(x_train, y_train, x_test, y_test, classes, raw.note, kind, raw.columns)

    @classmethod
    def of(cls, data: Dataset) -> Content:
        """Return what a prepared dataset's files hold now."""
        arrays = {name: getattr(data, name) for name in ARRAYS}
        return cls(**arrays, classes=data.classes, note=data.note, kind=data.kind, columns=data.columns)

    def checksum(self) -> str:
        """Return the sha256 (hex) of names, shapes, types and values; where it came from plays no part.

        What a table's features mean counts too; images have the checksum that they had before there were tables.
        """
        total = hashlib.sha256()
        for name, array in self.arrays():
            total.update(json.dumps([name, array.dtype.str, array.shape]).encode())
            total.update(np.ascontiguousarray(array).data)
        total.update(json.dumps(self.classes).encode())
        if self.kind != "images":
            total.update(json.dumps([self.kind, [column.to_json() for column in self.columns]]).encode())
        return total.hexdigest()

    def arrays(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Give the four arrays by name."""
        return ((name, getattr(self, name)) for name in ARRAYS)


def store(workspace: Workspace, name: str, content: Content, keys: tuple[str, ...] = ()) -> Path:
    """Write a dataset to the cache and return its folder; a reader sees all of it or nothing.

    Args:
        workspace: Where to.
        name: What the dataset is called.
        content: What to write.
        keys: Under which questions it will be found again (`find`).

    Raises:
        WorkspaceError: The disk refused it; nothing is left behind.
    """
    checksum = content.checksum()
    home = workspace.cache / "datasets"
    folder = home / f"{name}-{checksum[:12]}"
    if not intact(folder):
        partial = home / f"{_PARTIAL}{secrets.token_hex(6)}"
        with writing(folder):
            try:
                _clear(home)
                _write(partial, name, checksum, content)
                _put(partial, folder)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    for key in keys:
        write_json(home / "sources" / f"{key}.json", {"folder": folder.name})
    return folder


def find(workspace: Workspace, key: str) -> Path | None:
    """Return the folder of the dataset prepared for a key, if it is there and whole."""
    home = workspace.cache / "datasets"
    pointer = home / "sources" / f"{key}.json"
    if not pointer.is_file():
        return None
    folder = home / str(read_json(pointer)["folder"])
    return folder if intact(folder) else None


def intact(folder: Path) -> bool:
    """Say whether a prepared folder holds all that its description names, at the size that it names."""
    if not (folder / DESCRIPTION).is_file():
        return False
    sizes = read_json(folder / DESCRIPTION)["bytes"]
    files = [(folder / f"{name}.npy", size) for name, size in sizes.items()]
    return all(file.is_file() and file.stat().st_size == size for file, size in files)


def _write(partial: Path, name: str, checksum: str, content: Content) -> None:
    partial.mkdir(parents=True)
    sizes = {}
    for key, array in content.arrays():
        path = partial / f"{key}.npy"
        with path.open("wb") as file:
            np.save(file, array, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        sizes[key] = path.stat().st_size
    write_json(
        partial / DESCRIPTION,
        {
            "name": name,
            "checksum": checksum,
            "classes": content.classes,
            "kind": content.kind,
            "shape": content.x_train.shape[1:],
            **({"columns": [column.to_json() for column in content.columns]} if content.columns else {}),
            "train": len(content.x_train),
            "test": len(content.x_test),
            "note": content.note,
            "bytes": sizes,
        },
    )


def _put(partial: Path, folder: Path) -> None:
    if folder.exists() and not intact(folder):
        shutil.rmtree(folder)
    try:
        partial.rename(folder)
    except OSError:
        if not intact(folder):  # another process wrote the same in the meantime
            raise


def _clear(home: Path) -> None:
    # A process that was killed in the middle leaves its partial folder; nobody works on one for a day.
    for partial in home.glob(f"{_PARTIAL}*"):
        with contextlib.suppress(FileNotFoundError):  # another process has just put its own into place
            if time.time() - partial.stat().st_mtime > _STALE_AFTER_S:
                shutil.rmtree(partial, ignore_errors=True)


def as_floats(stored: NDArray[Any]) -> NDArray[np.float32]:
    """Return stored samples as float32: grey levels as brightness in [0, 1], other numbers as they are."""
    values = stored.astype(np.float32, copy=False)
    return values / np.float32(255) if stored.dtype == np.uint8 else values
