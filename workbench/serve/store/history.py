"""The history of a model: `history.jsonl`, one line a change.

A change is noted in a file of its own before it is made, and in the history after it; the note goes away last. So a
writer that is killed at any moment leaves either no change, or one that the next writer enters into the history.
"""

from __future__ import annotations

import contextlib
import getpass
import os
from collections import deque
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from workbench.core.errors import WorkbenchError, WorkspaceError
from workbench.core.records.base import read_record
from workbench.core.records.store import Action, StoreChange
from workbench.serve.store.copies import sha256_of
from workbench.serve.store.files import append_line, write_durably
from workbench.serve.store.labels import read_labels
from workbench.serve.versions.source import versions_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HISTORY = "history.jsonl"

_NOTE = ".change.json"


def change(action: Action, version: int, by: str = "", **facts: Any) -> StoreChange:
    """Return a change that is made now; where nobody is named, by who runs this process."""
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    return StoreChange(time=time, action=action, version=version, who=by or _login(), **facts)


def changes(folder: Path) -> Iterator[StoreChange]:
    """Give a model's changes, oldest first, one at a time; what is no whole line of ours is left out."""
    with contextlib.suppress(OSError), (folder / HISTORY).open("rb") as file:
        for line in file:
            # What follows the last line break is half a line.
            with contextlib.suppress(ValidationError):
                if line.endswith(b"\n"):
                    yield StoreChange.model_validate_json(line)


def enter(folder: Path, done: StoreChange) -> None:
    """Append a change to the history.

    Raises:
        WorkspaceError: The disk refused it.
    """
    append_line(folder / HISTORY, done.model_dump_json())


@contextmanager
def noted(folder: Path, planned: StoreChange) -> Iterator[None]:
    """Enter the change that the block makes into the history, also where the process dies in it.

    Whoever calls it holds the model's lock.

    Raises:
        WorkspaceError: The disk refused it.
    """
    write_durably(folder / _NOTE, planned.to_json())
    try:
        yield
    finally:
        mend_history(folder)


def mend_history(folder: Path) -> None:
    """Enter a change that was made and not entered yet; of one that was only planned nothing stays."""
    note = folder / _NOTE
    if not note.is_file():
        return
    try:
        planned = read_record(note, StoreChange)
    except WorkspaceError:  # not ours
        planned = None
    if planned is not None and _is_done(folder, planned) and planned not in deque(changes(folder), maxlen=1):
        enter(folder, planned)
    note.unlink(missing_ok=True)


def _is_done(folder: Path, planned: StoreChange) -> bool:
    known = versions_in(folder)[0]
    if planned.action == "publish":
        return planned.version in known and sha256_of(known[planned.version]) == planned.sha256
    if planned.action == "delete":
        return planned.version not in known
    try:
        means = read_labels(folder).get(planned.label)
    except WorkbenchError:  # damaged since, which the next one to read them is told
        return False
    return means == (None if planned.action == "unlabel" else planned.version)


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container whose user has no name
        return f"user {os.getuid()}"
