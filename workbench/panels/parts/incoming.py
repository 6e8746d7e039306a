"""A file that a page sends: checked before its first byte, written bit by bit, put in place when it is whole."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from workbench.core.errors import BadInputError
from workbench.core.role import require_operator
from workbench.core.workspace import writing
from workbench.datasets.class_archive import FORBIDDEN, require_modest, unpack_class_folders
from workbench.datasets.dataset import safe_name
from workbench.datasets.names import is_utf8

if TYPE_CHECKING:
    from workbench.core.workspace import Workspace

SUFFIXES = (".npz", ".zip", ".csv")
MOST_BYTES = 500_000_000
MOST_BYTES_A_SESSION = 1_000_000_000
_LONGEST_NAME = 120
_PARTIAL = ".partial-"
_STALE_AFTER_S = 24 * 3600
_SPARE = 200_000_000
_BLOCK = 1 << 20


class Incoming:
    """One file under way; it is never in memory whole.

    Attributes:
        name: What it is called, checked.
        size: Bytes that were said to come.
        path: Where it lies meanwhile.
    """

    def __init__(self, workspace: Workspace, name: str, size: int, slice_bytes: int, left: int) -> None:
        """Check what is offered and open a temporary file.

        Args:
            workspace: Where to keep it.
            name: What the page calls it.
            size: Bytes that the page will send.
            slice_bytes: Bytes of each slice but the last.
            left: Bytes that the page may still send.

        Raises:
            BadInputError: The name or the size is not taken, or this process is a viewer's.
            WorkspaceError: The disk refused it.
        """
        require_operator()
        require_name(name)
        _require_size(size, left)
        self.name, self.size, self._step = name, size, slice_bytes
        self._wanted = set(range(0, size, slice_bytes))
        self._uploads = workspace.uploads
        self.path = self._uploads / f"{_PARTIAL}{secrets.token_hex(8)}" / name
        workspace.ensure()
        with writing(self._uploads):
            self._uploads.mkdir(mode=0o700, exist_ok=True)
            _clear(self._uploads)
            _require_room(self._uploads, size)
            self.path.parent.mkdir(mode=0o700)
            self._file: BinaryIO = os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def take(self, at: int, part: memoryview) -> None:
        """Write a slice to its place; each is taken once, and none but what was announced.

        Raises:
            BadInputError: It is not a slice of this file.
            WorkspaceError: The disk refused it.
        """
        if at not in self._wanted or len(part) != min(self._step, self.size - at):
            raise BadInputError.of(self.name, rule="must come in the slices that were announced",
                                   got=f"{len(part)} bytes at {at}", hint="choose it again")  # fmt: skip
        with writing(self.path):
            self._file.seek(at)
            self._file.write(part)
        self._wanted.remove(at)

    def require_whole(self) -> None:
        """Close the file.

        Raises:
            BadInputError: Slices are missing.
            WorkspaceError: The disk refused it.
        """
        if self._wanted:
            raise BadInputError.of(self.name, rule="must come whole", got=f"{len(self._wanted)} slices missing",
                                   hint="choose it again")  # fmt: skip
        with writing(self.path):
            self._file.close()

    def keep(self) -> Path:
        """Put the file in place, a zip unpacked, and return where it lies now; blocks.

        Raises:
            BadInputError: It is no such file, or not a harmless one.
            WorkspaceError: The disk refused it.
        """
        try:
            stem, suffix = safe_name(Path(self.name).stem), Path(self.name).suffix.lower()
            if suffix == ".npz":
                _require_arrays(self.path)
            target = self._uploads / _sha256(self.path)[:12] / (stem if suffix == ".zip" else f"{stem}{suffix}")
            if not target.exists():
                self._put(target, unpack=suffix == ".zip")
        finally:
            self.drop()
        return target

    def drop(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(OSError):
            self._file.close()
        shutil.rmtree(self.path.parent, ignore_errors=True)

    def _put(self, target: Path, *, unpack: bool) -> None:
        whole = self.path
        if unpack:
            whole = self.path.parent / ".unpacked"
            unpack_class_folders(self.path, whole)
        with writing(target):
            target.parent.mkdir(mode=0o700, exist_ok=True)
            whole.rename(target)


def forget(path: Path, workspace: Workspace) -> None:
    """Remove what was uploaded; anything else is left alone."""
    home = path.parent
    if home.parent == workspace.uploads and not home.name.startswith("."):
        with writing(path):
            shutil.rmtree(home, ignore_errors=True)


def require_name(name: str) -> None:
    """Refuse a name that is more than the name of a file.

    Raises:
        BadInputError: It holds what no name of a file holds, or ends otherwise.
    """
    bad = FORBIDDEN | set("/&;`$")
    if not name or name.startswith(".") or bad & set(name) or not name.isprintable() or not is_utf8(name):
        raise BadInputError.of("file name", rule=f"must be a plain name without {' '.join(sorted(bad))}", got=name,
                               hint="rename the file")  # fmt: skip
    if len(name.encode()) > _LONGEST_NAME:
        raise BadInputError.of("file name", rule=f"must have at most {_LONGEST_NAME} bytes", got=name,
                               hint="rename the file")  # fmt: skip
    if Path(name).suffix.lower() not in SUFFIXES:
        raise BadInputError.of("file name", rule=f"must end in {', '.join(SUFFIXES)}", got=name)


def _require_size(size: int, left: int) -> None:
    if not 0 < size <= MOST_BYTES:
        raise BadInputError.of("file", rule=f"must have 1 byte to {MOST_BYTES // 10**6} MB", got=f"{size} bytes",
                               hint="take fewer samples, or type a path on this machine")  # fmt: skip
    if size > left:
        raise BadInputError.of("file", rule=f"must have at most the {left / 1e6:,.0f} MB that this page may still send",
                               got=f"{size / 1e6:,.0f} MB", hint="open the page anew")  # fmt: skip


def _require_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size + _SPARE:
        raise BadInputError.of("file", rule="must leave room on the disk", got=f"{free / 1e6:,.0f} MB free",
                               hint="free some space")  # fmt: skip


def _require_arrays(path: Path) -> None:
    """Look at what a zip of arrays declares; what lies in them is checked where they are read."""
    try:
        with zipfile.ZipFile(path) as file:
            require_modest(file, path)
            others = [info.filename for info in file.infolist() if not info.filename.endswith(".npy")]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise BadInputError.of(path.name, rule="must be an .npz file", got=str(error),
                               hint="write it with numpy.savez") from error  # fmt: skip
    if others:
        raise BadInputError.of(path.name, rule="must hold arrays (.npy) only", got=others[0],
                               hint="write it with numpy.savez")  # fmt: skip


def _sha256(path: Path) -> str:
    total = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            total.update(block)
    return total.hexdigest()


def _clear(uploads: Path) -> None:
    # A kernel that was killed in the middle leaves its partial file; no upload takes a day.
    for partial in uploads.glob(f"{_PARTIAL}*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - partial.stat().st_mtime > _STALE_AFTER_S:
                shutil.rmtree(partial, ignore_errors=True)
