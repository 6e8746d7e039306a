"""What the store does to the disk. When a function here returns, a power cut undoes it no more."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

from workbench.core.workspace import write_json, writing

if TYPE_CHECKING:
    from pathlib import Path


def _sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Have all files below a folder, and their names, on the disk."""
    for path in (*folder.rglob("*"), folder):
        _sync(path)


def rename_folder(source: Path, target: Path) -> None:
    """Give a folder another name in the same place.

    Raises:
        OSError: There is one of that name that is not empty, or the disk refused it.
    """
    source.rename(target)
    _sync(target.parent)


def write_durably(path: Path, value: Any) -> None:
    """Write a value as JSON: readers see the old or the new.

    Raises:
        WorkspaceError: The disk refused it.
    """
    write_json(path, value)
    _sync(path.parent)


def append_line(path: Path, line: str) -> None:
    """Append a line; half a line that a killed writer left at the end is taken off first.

    Args:
        path: The file; made if needed.
        line: Text without a line break.

    Raises:
        WorkspaceError: The disk refused it.
    """
    new = not path.exists()
    with writing(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            os.ftruncate(descriptor, _whole(descriptor))
            os.lseek(descriptor, 0, os.SEEK_END)
            left = memoryview(line.encode() + b"\n")
            while left:
                left = left[os.write(descriptor, left) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if new:
            _sync(path.parent)


def _whole(descriptor: int) -> int:
    """Return how many bytes of a file are whole lines."""
    size = os.fstat(descriptor).st_size
    if not size or os.pread(descriptor, 1, size - 1) == b"\n":
        return size
    return os.pread(descriptor, size, 0).rfind(b"\n") + 1


def discard(folder: Path) -> None:
    """Delete a folder that nobody needs any more, as far as the disk lets us."""
    shutil.rmtree(folder, ignore_errors=True)
