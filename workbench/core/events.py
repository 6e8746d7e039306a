"""What happened in a run, one JSON object a line.

A writer appends whole lines; a reader keeps an offset and never sees half a line. A crash loses at most the
line that was being written.
"""

from __future__ import annotations

import errno
import json
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.core.workspace import writing

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "events.jsonl"


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Attributes:
        type: `state`, `progress`, `batch`, `epoch`, `note`, … (what the stage documents).
        time: Seconds since the epoch, UTC.
        data: The rest, plain JSON.
    """

    type: str
    time: float
    data: dict[str, Any]


class EventWriter:
    """Appends events to a run's file with one `write` each; only the run's one writer holds it."""

    def __init__(self, run: Path) -> None:
        self._path = run / FILE_NAME
        with writing(self._path):
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            size = os.fstat(self._fd).st_size
            # A writer that was killed may have left half a line; ours must not be glued to it.
            if size and os.pread(self._fd, 1, size - 1) != b"\n":
                os.write(self._fd, b"\n")

    def emit(self, type_: str, /, **data: Any) -> None:
        """Append one event.

        Raises:
            WorkspaceError: The disk refused it.
        """
        line = json.dumps({"type": type_, "time": time.time(), **data}, separators=(",", ":")).encode() + b"\n"
        with writing(self._path):
            written = os.write(self._fd, line)
            if written < len(line):
                os.ftruncate(self._fd, os.fstat(self._fd).st_size - written)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        """Release the file."""
        os.close(self._fd)


@dataclass
class EventReader:
    """Reads what is new since the last call; many readers may follow one run."""

    run: Path
    _offset: int = field(default=0, init=False)

    def read(self) -> list[Event]:
        """Return the events appended since the last call; a line not yet finished waits for the next."""
        try:
            with (self.run / FILE_NAME).open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return []
        end = data.rfind(b"\n") + 1
        self._offset += end
        return [event for line in data[:end].splitlines() if (event := parse(line)) is not None]


def parse(line: bytes) -> Event | None:
    """Read one line; None where it is no event."""
    # A crash can leave half a line with the next writer's line glued to it; only that line is skipped.
    try:
        data = json.loads(line)
        return Event(type=data.pop("type"), time=data.pop("time"), data=data)
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return None
