"""From an archive or a folder to its contents."""

from __future__ import annotations

import hashlib
from typing import IO, TYPE_CHECKING

from workbench.core.errors import BadInputError, WorkspaceError
from workbench.package.archive import chunks_of
from workbench.package.contents import Contents, is_plain
from workbench.package.facts import SUMS
from workbench.package.gzip_frame import BrokenArchiveError, GzipReader
from workbench.package.tar_members import members
from workbench.package.tar_stream import TarStream

if TYPE_CHECKING:
    from pathlib import Path


def read_package(path: Path) -> Contents:
    """Read a package.

    Raises:
        BadInputError: There is neither an archive nor the folder of one.
        WorkspaceError: It may not be read.
    """
    if not path.exists() or (path.is_dir() and not (path / SUMS).is_file()):
        raise BadInputError.of(
            "package", rule=f"must be an archive, or the folder with {SUMS} that it unpacks to", got=str(path)
        )
    try:
        if path.is_dir():
            return _folder(path)
        with path.open("rb") as stream:
            return _archive(stream)
    except OSError as error:
        raise WorkspaceError(f"{error.filename or path} cannot be read ({error.strerror or error}).") from error


def _folder(folder: Path) -> Contents:
    found = Contents()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            found.blame("unsafe", name, f"{name!r} is no plain file; do not use it.")
        elif path.is_file() and found.admit(name):
            found.add(name, chunks_of(path))
    return found


def _archive(stream: IO[bytes]) -> Contents:
    found, packed = Contents(), GzipReader(stream)
    # The same members as we write them: owners, times and what lies between files have no other place to be told of.
    plain = hashlib.sha256()
    tar = TarStream(plain.update)
    try:
        _members(packed, found, tar)
        tar.close()
        wrong = packed.end()
        if not wrong and not found.faults and plain.digest() != packed.content.digest():
            wrong = ["its tar has owners, times or bytes between files that `workbench package` does not write"]
    except BrokenArchiveError as error:
        found.whole = False
        reached = f"{error}, by byte {packed.position:,}, after {len(found.files)} whole files"
        wrong = [*packed.damage(), reached]
    for reason in wrong:
        found.blame("archive", "", f"The archive is damaged: {reason}.")
    found.sha256 = packed.sha256.hexdigest()
    return found


def _members(packed: GzipReader, found: Contents, plain: TarStream) -> None:
    top = None
    for member in members(packed.read):
        top = member.name.partition("/")[0] if top is None else top
        name = member.name.removeprefix(f"{top}/")
        if member.what == "folder":
            continue  # our own archives have none, which the comparison of the whole tar tells
        if member.what != "file":
            found.blame("unsafe", name, f"{name!r} is {member.what}; do not unpack it.")
        elif name == member.name or not is_plain(top):
            found.blame("unsafe", name, f"{name!r} must lie in the one folder of the archive; do not unpack it.")
        elif found.admit(name):
            found.add(name, plain.passing(member.name, member.size, member.chunks()))
