"""Data of one's own in an `.npz` file."""

from __future__ import annotations

import lzma
import struct
import tokenize
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError
from workbench.datasets import checks, sample_checks
from workbench.datasets.base import RawData
from workbench.datasets.kinds import kind_of
from workbench.datasets.names import shown
from workbench.datasets.splits import stratified

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from workbench.datasets.kinds import Kind

_TEST_SHARE = 0.2
_NAMES = "USiu"  # kinds of dtype that names may have: text, bytes, whole numbers
# All that zipfile, its decompressors and numpy's reader of headers raise at bytes that they cannot make sense of.
_UNREADABLE = (
    ArithmeticError, EOFError, LookupError, OSError, RuntimeError, SyntaxError, TypeError, ValueError,
    lzma.LZMAError, struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
_CHECKS = {"images": checks.images, "table": sample_checks.numbers, "samples": sample_checks.samples}
_SPLIT = ("x_train", "y_train", "x_test", "y_test")


def read_npz(path: Path, kind: Kind | None = None) -> RawData:
    """Read `x_train, y_train, x_test, y_test`, or `x, y` of which every fifth of a class becomes the test split.

    Optional arrays of strings name the classes, `classes`, and the columns of a table, `columns`.

    Args:
        path: The file.
        kind: What the samples are; None is told from their shape.

    Raises:
        BadInputError: Naming the file, or the key at fault; pickled objects are never unpacked.
    """
    sizes = _members(path)
    keys = _SPLIT if not {"x", "y"} <= set(sizes) else ("x", "y")
    for key in keys:
        if key not in sizes:
            raise BadInputError.of(
                f"{key} in {shown(path.name)}", rule="must be there (x_train, y_train, x_test, y_test; or x, y)",
                got=f"keys {', '.join(sizes) or 'none'}",
            )  # fmt: skip
    checks.declared_bytes(shown(path.name), sum(sizes[key] for key in keys))
    classes = _names(path, "classes", "class") if "classes" in sizes else None
    arrays = {key: _array(path, key) for key in keys}
    kind = kind_of(arrays[keys[0]].ndim, kind)
    names = _names(path, "columns", "column") if "columns" in sizes and kind == "table" else ()
    if "x" not in arrays:
        x_train, y_train, x_test, y_test = (arrays[key] for key in _SPLIT)
        return RawData(x_train, y_train, x_test, y_test, classes, kind=kind, names=names)
    x = _CHECKS[kind]("x", arrays["x"])
    y = checks.labels("y", arrays["y"], "x", len(x))
    rest, held = stratified(y, _TEST_SHARE)
    note = f"{shown(path.name)} has no split of its own: a fixed fifth of each class is the test split."
    return RawData(x[rest], y[rest], x[held], y[held], classes, note, kind=kind, names=names)


def _names(path: Path, key: str, one: str) -> tuple[str, ...]:
    values = _array(path, key)
    if values.ndim != 1 or values.dtype.kind not in _NAMES:
        raise BadInputError.of(f"{key} in {shown(path.name)}", rule=f"must be a row of texts, one name a {one}",
                               got=f"shape {values.shape}, dtype {values.dtype}")  # fmt: skip
    return tuple(name.decode(errors="replace") if isinstance(name, bytes) else str(name) for name in values)


def _members(path: Path) -> dict[str, int]:
    try:
        with zipfile.ZipFile(path) as archive:
            return {info.filename.removesuffix(".npy"): info.file_size for info in archive.infolist()}
    except _UNREADABLE as error:
        raise BadInputError.of(shown(path), rule="must be an .npz file", got=str(error),
                               hint="write it with numpy.savez") from error  # fmt: skip


def _array(path: Path, key: str) -> NDArray[Any]:
    with zipfile.ZipFile(path) as archive:
        _declared(path, key, archive)
    try:
        with np.load(path, allow_pickle=False) as file:
            array: NDArray[Any] = file[key]
    except _UNREADABLE as error:
        raise BadInputError.of(
            f"{key} in {shown(path.name)}", rule="must be a plain numeric array, whole and not pickled", got=str(error),
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
    except _UNREADABLE as error:
        raise BadInputError.of(f"{key} in {shown(path.name)}", rule="must be an .npy array", got=str(error),
                               hint="write it with numpy.savez, without a password") from error  # fmt: skip
    if not dtype.hasobject:
        checks.declared_bytes(f"{key} in {shown(path.name)}", int(np.prod(shape, dtype=object)) * dtype.itemsize)
