"""Data of one's own in an `.npz` file."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError
from workbench.datasets import checks
from workbench.datasets.base import RawData
from workbench.datasets.splits import stratified

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_TEST_SHARE = 0.2
_SPLIT = ("x_train", "y_train", "x_test", "y_test")


def read_npz(path: Path) -> RawData:
    """Read `x_train, y_train, x_test, y_test`, or `x, y` of which every fifth of a class becomes the test split.

    An optional array of strings `classes` names the classes.

    Raises:
        BadInputError: Naming the file, or the key at fault; pickled objects are never unpacked.
    """
    sizes = _members(path)
    keys = _SPLIT if not {"x", "y"} <= set(sizes) else ("x", "y")
    for key in keys:
        if key not in sizes:
            raise BadInputError.of(
                f"{key} in {path.name}", rule="must be there (x_train, y_train, x_test, y_test; or x, y)",
                got=f"keys {', '.join(sizes) or 'none'}",
            )  # fmt: skip
    checks.declared_bytes(path.name, sum(sizes[key] for key in keys))
    classes = tuple(str(name) for name in _array(path, "classes")) if "classes" in sizes else None
    arrays = {key: _array(path, key) for key in keys}
    if "x" not in arrays:
        return RawData(arrays["x_train"], arrays["y_train"], arrays["x_test"], arrays["y_test"], classes)
    x, y = arrays["x"], arrays["y"]
    y = checks.labels("y", y, "x", len(x))
    rest, held = stratified(y, _TEST_SHARE)
    note = f"{path.name} has no split of its own: a fixed fifth of each class is the test split."
    return RawData(x[rest], y[rest], x[held], y[held], classes, note)


def _members(path: Path) -> dict[str, int]:
    try:
        with zipfile.ZipFile(path) as archive:
            return {info.filename.removesuffix(".npy"): info.file_size for info in archive.infolist()}
    except (OSError, zipfile.BadZipFile) as error:
        raise BadInputError.of(str(path), rule="must be an .npz file", got=str(error),
                               hint="write it with numpy.savez") from error  # fmt: skip


def _array(path: Path, key: str) -> NDArray[Any]:
    with zipfile.ZipFile(path) as archive:
        _declared(path, key, archive)
    try:
        with np.load(path, allow_pickle=False) as file:
            array: NDArray[Any] = file[key]
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zipfile.zlib.error) as error:  # type: ignore[attr-defined]
        raise BadInputError.of(
            f"{key} in {path.name}", rule="must be a plain numeric array, whole and not pickled", got=str(error),
            hint="write it with numpy.savez from numeric arrays",
        ) from error  # fmt: skip
    return array


def _declared(path: Path, key: str, archive: zipfile.ZipFile) -> None:
    # numpy reserves the memory that a header asks for before it reads on: a few bytes could ask for terabytes.
    try:
        with archive.open(f"{key}.npy") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(file)
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise BadInputError.of(f"{key} in {path.name}", rule="must be an .npy array", got=str(error)) from error
    if not dtype.hasobject:
        checks.declared_bytes(f"{key} in {path.name}", int(np.prod(shape, dtype=object)) * dtype.itemsize)
