"""A copy of what is brought in that nobody else can change between being read and being loaded."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.convert.incoming.base import kind_of
from workbench.core.artifact import content_sha256
from workbench.core.errors import BadInputError, WorkbenchError, WorkspaceError
from workbench.core.workspace import writing

if TYPE_CHECKING:
    from collections.abc import Iterator

_LARGEST = 4 * 2**30
_MOST_FILES = 10_000
_NAME = "copy"


def describe(path: Path) -> dict[str, Any]:
    """Return what is asked for when a path is: where it is and what is in it now, its companions too.

    Raises:
        BadInputError: It is no model, too large, holds a link, or asks for files outside of its folder.
        UntrustedModelError: It is a pickle.
    """
    kind = kind_of(path)
    files = [path.parent / name for name in kind.companions(path)]
    _require_plain(path, files)
    return {
        "path": str(path),
        "sha256": content_sha256(path),
        "companions": {file.relative_to(path.parent).as_posix(): content_sha256(file) for file in files},
    }


@contextlib.contextmanager
def private_copy(asked: dict[str, Any], folder: Path) -> Iterator[Path]:
    """Give a copy of a model, which is gone afterwards.

    Args:
        asked: What `describe` returned.
        folder: Where to; does not exist, or was left by an attempt that was killed.

    Raises:
        WorkspaceError: It is not what was asked for any more.
        WorkbenchError: What the block raises, told of the path that a person gave.
    """
    path = Path(asked["path"])
    try:
        with writing(folder):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
            copy = _copied(path, folder, asked["companions"])
        yield copy
    except WorkbenchError as error:
        ours = re.escape(str(folder / _NAME)) + r"(\.\w+)?"
        raise type(error)(re.sub(ours, lambda _: str(path), str(error))) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def require_unchanged(asked: dict[str, Any], copy: Path) -> None:
    """Refuse a copy that is of something else than was asked for.

    Raises:
        WorkspaceError: It is.
    """
    wanted = {copy: asked["sha256"], **{copy.parent / name: sha256 for name, sha256 in asked["companions"].items()}}
    if any(content_sha256(file) != sha256 for file, sha256 in wanted.items()):
        raise WorkspaceError(f"{asked['path']} was changed while it was adopted; adopt it again.")


def _copied(path: Path, folder: Path, companions: dict[str, str]) -> Path:
    # Libraries go by the name's ending; ours is right whatever the file was called.
    copy = folder / f"{_NAME}{kind_of(path).ending}"
    if path.is_dir():
        # Links that came since are copied as links, and refused by their content's sha256.
        shutil.copytree(path, copy, symlinks=True)
        return copy
    for name in companions:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path.parent / name, folder / name, follow_symlinks=False)
    shutil.copyfile(path, copy)
    return copy


def _require_plain(path: Path, companions: list[Path]) -> None:
    """Refuse what is too large, and in a directory anything but files and directories."""
    total = count = 0
    for place, status in _entries(path):
        kind = status.st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            what = "a link" if stat.S_ISLNK(kind) else "no file"
            raise BadInputError.of(
                str(path), rule="must hold files only", got=f"{place}, which is {what}", hint="copy the file itself"
            )
        count, total = count + 1, total + status.st_size
        if count > _MOST_FILES:
            raise BadInputError.of(str(path), rule=f"must hold at most {_MOST_FILES:,} files", got="more")
    total += sum(file.stat().st_size for file in companions)
    if total > _LARGEST:
        raise BadInputError.of(str(path), rule=f"must be at most {_LARGEST} bytes", got=total)


def _entries(path: Path) -> Iterator[tuple[str, os.stat_result]]:
    if path.is_file():
        yield path.name, path.stat()
        return
    waiting = [path]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                yield entry.name, entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
