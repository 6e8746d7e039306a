"""Unpack a zip of class folders that nobody vouches for."""

from __future__ import annotations

import contextlib
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from workbench.core.errors import BadInputError
from workbench.core.workspace import writing
from workbench.datasets.class_folders import SUFFIXES
from workbench.datasets.names import is_utf8, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_ENTRIES = 100_000
MOST_BYTES = 2 << 30
# Images are packed already and grow little; arrays of zeros grow a thousandfold, as bombs do.
MOST_GROWTH, ALWAYS_ALLOWED = 100, 200_000_000
FORBIDDEN = frozenset('<>:"|?*\\')
_LONGEST_NAME, _DEEPEST = 200, 4
_PACKINGS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1
_BLOCK = 1 << 20
_UNREADABLE = (EOFError, LookupError, NotImplementedError, OSError, RuntimeError, ValueError, zipfile.BadZipFile,
               zlib.error)  # fmt: skip


def unpack_class_folders(archive: Path, folder: Path) -> int:
    """Unpack the images of a zip into a folder that does not exist yet; other files in it are left out.

    One folder that holds all others, as file managers make it, is left out too.

    Args:
        archive: The zip.
        folder: Where to; on an error nothing is left of it.

    Returns:
        How many images.

    Raises:
        BadInputError: It is no zip, grows too much, or holds a name, a link or a packing that is not taken.
        WorkspaceError: The disk refused it.
    """
    with _opened(archive) as file:
        require_modest(file, archive)
        images = [(info, path) for info, path in _images(file, archive)]
        if not images:
            raise BadInputError.of(
                shown(archive.name), rule=f"must hold images ({', '.join(sorted(SUFFIXES))})",
                got=f"{len(file.infolist())} entries", hint="zip a folder of class folders",
            )  # fmt: skip
        skip = _wrapped([path for _info, path in images])
        try:
            for info, path in images:
                _write(file, info, folder.joinpath(*path.parts[skip:]), archive)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return len(images)


def require_modest(file: zipfile.ZipFile, archive: Path) -> None:
    """Refuse a zip by what it declares, before anything of it is unpacked; no more than that is ever unpacked.

    Raises:
        BadInputError: Too many entries, or it would grow too much.
    """
    entries = file.infolist()
    if len(entries) > MOST_ENTRIES:
        raise BadInputError.of(shown(archive.name), rule=f"must hold at most {MOST_ENTRIES} entries", got=len(entries))
    size, total = archive.stat().st_size, sum(entry.file_size for entry in entries)
    most = min(MOST_BYTES, max(ALWAYS_ALLOWED, MOST_GROWTH * size))
    if total > most:
        raise BadInputError.of(
            shown(archive.name), rule=f"must unpack to at most {most / 1e6:,.0f} MB", got=f"{total / 1e6:,.0f} MB",
            hint="take fewer or smaller samples",
        )  # fmt: skip


def _images(file: zipfile.ZipFile, archive: Path) -> Iterator[tuple[zipfile.ZipInfo, PurePosixPath]]:
    seen = set()
    for info in file.infolist():
        path = _safe_path(info, archive)
        hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
        if info.is_dir() or hidden or path.suffix.lower() not in SUFFIXES:
            continue
        folded = str(path).casefold()
        if folded in seen:
            raise _bad(info, archive, "must be there once", "two of that name")
        seen.add(folded)
        yield info, path


def _safe_path(info: zipfile.ZipInfo, archive: Path) -> PurePosixPath:
    name = info.orig_filename  # zipfile cuts names at a zero byte
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts:
        raise _bad(info, archive, "must lie inside the archive", name)
    if FORBIDDEN & set(name) or not name.isprintable() or not is_utf8(name):
        raise _bad(info, archive, f"must have a name without {' '.join(sorted(FORBIDDEN))}", name)
    if len(path.parts) > _DEEPEST or max(map(len, path.parts), default=0) > _LONGEST_NAME:
        raise _bad(
            info, archive, f"must lie at most {_DEEPEST} deep, in names of at most {_LONGEST_NAME} letters", name
        )
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _bad(info, archive, "must be a file", "a link" if kind == stat.S_IFLNK else "something else")
    if info.flag_bits & _ENCRYPTED:
        raise _bad(info, archive, "must not be encrypted", "a password")
    if info.compress_type not in _PACKINGS:
        raise _bad(info, archive, "must be stored or deflated", f"packing {info.compress_type}")
    return path


def _wrapped(paths: list[PurePosixPath]) -> int:
    """Return how many outer folders hold everything and are no class."""
    return int(len({path.parts[0] for path in paths}) == 1 and min(len(path.parts) for path in paths) > 2)  # noqa: PLR2004


def _write(file: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, archive: Path) -> None:
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        out = target.open("xb")
    with out:
        try:
            packed = file.open(info)
        except _UNREADABLE as error:
            raise _bad(info, archive, "must be readable", str(error)) from error
        with packed:
            while block := _read(packed, info, archive):
                with writing(target):
                    out.write(block)


def _read(packed: IO[bytes], info: zipfile.ZipInfo, archive: Path) -> bytes:
    try:
        return bytes(packed.read(_BLOCK))
    except _UNREADABLE as error:
        raise _bad(info, archive, "must be readable", str(error)) from error


@contextlib.contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    try:
        file = zipfile.ZipFile(archive)
    except _UNREADABLE as error:
        raise BadInputError.of(shown(archive.name), rule="must be a zip file", got=str(error),
                               hint="zip a folder of class folders") from error  # fmt: skip
    with file:
        yield file


def _bad(info: zipfile.ZipInfo, archive: Path, rule: str, got: str) -> BadInputError:
    return BadInputError.of(f"{shown(info.orig_filename)} in {shown(archive.name)}", rule=rule, got=got)
