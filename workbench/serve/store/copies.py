"""Folders of a store that are being written or on their way out; servers see neither.

`.new-…` holds a copy until it gets its number. Its writer locks it, so that one without a lock is known to be left by
a writer that was killed. `.old-…` was a version. Both go away with the next change.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from workbench.core.artifact import MANIFEST, Artifact
from workbench.core.errors import WorkbenchError
from workbench.core.workspace import writing
from workbench.serve.spread import is_spread, verify_spread
from workbench.serve.store.files import discard, sync_tree
from workbench.serve.versions.source import version_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NEW, _OLD = ".new-", ".old-"
_HALF_WRITTEN = ".*.json.*"  # as `write_atomic` calls what it has not finished


@contextmanager
def new_copy(folder: Path) -> Iterator[Path]:
    """Make a hidden folder that is ours while the block runs; begun while the model's lock is held."""
    path = folder / f"{_NEW}{secrets.token_hex(6)}"
    with writing(path):
        path.mkdir()
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield path
    finally:
        discard(path)
        os.close(descriptor)


def old_names(folder: Path, version: int) -> list[tuple[Path, Path]]:
    """Return the folders that mean a version (`7` and `007`), with the hidden names under which they wait to go."""
    found = (path for path in folder.iterdir() if version_of(path.name) == version)
    return [(path, folder / f"{_OLD}{path.name}-{secrets.token_hex(6)}") for path in found]


def clear(folder: Path) -> None:
    """Delete what killed writers left behind; the model's lock is held."""
    from workbench.jobs.lock import is_held

    for path in folder.glob(f"{_NEW}*"):
        if not is_held(path):
            discard(path)
    for path in folder.glob(f"{_OLD}*"):
        discard(path)
    for path in folder.glob(_HALF_WRITTEN):
        path.unlink(missing_ok=True)


def fill(artifact: Artifact, folder: Path) -> None:
    """Copy an artifact's file and manifest into a folder.

    Raises:
        WorkspaceError: The disk refused it.
    """
    with writing(folder):
        if artifact.path.is_dir():  # a SavedModel, whose files TensorFlow Serving wants at the top
            shutil.copytree(artifact.path, folder, dirs_exist_ok=True)
        else:
            shutil.copyfile(artifact.path, folder / artifact.path.name)
        shutil.copyfile(artifact.folder / MANIFEST, folder / MANIFEST)
        sync_tree(folder)


def holds(folder: Path, artifact: Artifact) -> bool:
    """Tell whether a version folder is a whole copy of an artifact."""
    # A copy that was damaged since, or put there by others without a manifest, is not the same model.
    try:
        found = Artifact.load(folder)
        return (verify_spread(found) if is_spread(found) else found.verify()).sha256 == artifact.sha256
    except WorkbenchError:
        return False


def sha256_of(folder: Path) -> str:
    """Return the content address that a version's manifest says; empty where it has none."""
    try:
        return Artifact.load(folder).sha256
    except WorkbenchError:
        return ""
