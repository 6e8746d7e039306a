"""The files of one worker: lines at the end of the newest, the oldest deleted, so that the room is bounded."""

from __future__ import annotations

import contextlib
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.serve.request_log.settings import RequestLogSettings

_NAME = re.compile(r"(\d+)-(\d+)\.jsonl")


def numbered(folder: Path) -> dict[int, dict[int, Path]]:
    """Return the files of a folder by worker and number, oldest first; none where there is no such folder."""
    found: dict[int, dict[int, Path]] = {}
    with contextlib.suppress(OSError):
        names = [match for each in folder.iterdir() if (match := _NAME.fullmatch(each.name))]
        for match in sorted(names, key=lambda one: int(one[2])):
            found.setdefault(int(match[1]), {})[int(match[2])] = folder / match[0]
    return found


class Files:
    """Appends lines; a new one begins in a new file, so that only the end of a file can be torn."""

    def __init__(self, folder: Path, worker: int, settings: RequestLogSettings) -> None:
        """Open nothing yet.

        Args:
            folder: Where they are; made when first needed, in a folder that exists.
            worker: Whose they are.
            settings: How large and how many.
        """
        self._folder = folder
        self._worker = worker
        self._settings = settings
        self._file: int | None = None
        self._path = Path()
        self._number = 0
        self._size = self._synced = 0
        self._begun = 0.0

    def append(self, lines: Sequence[bytes]) -> None:
        """Write lines, each with its end; a crash of this process does not lose them any more.

        Raises:
            OSError: There is no room, or no folder; what was written of these lines is whole.
        """
        try:
            self._append(lines)
        except OSError:
            self._give_up()
            raise

    def sync(self) -> None:
        """See on the disk what was written, lest a crash of the machine loses it.

        Raises:
            OSError: The disk failed.
        """
        if self._file is not None and self._synced < self._size:
            os.fsync(self._file)
            self._synced = self._size

    def tidy(self) -> None:
        """Delete what is too old or too much; never raises."""
        # A file spans half of the time at most, so its last line's age tells that of its first.
        half = self._settings.max_age_seconds / 2
        if self._file is not None and time.monotonic() - self._begun >= half:
            self.close()
        mine = [*numbered(self._folder).get(self._worker, {}).values()]
        for at, path in enumerate(mine):
            with contextlib.suppress(OSError):
                too_many = at < len(mine) - self._settings.max_files
                if too_many or (path != self._path and time.time() - path.stat().st_mtime >= half):
                    path.unlink()

    def close(self) -> None:
        """Begin a new file next time."""
        file, self._file, self._path = self._file, None, Path()
        if file is not None:
            with contextlib.suppress(OSError):
                os.fsync(file)
            os.close(file)

    def _append(self, lines: Sequence[bytes]) -> None:
        at = 0
        while at < len(lines):
            file = self._open()
            room, first = self._settings.max_bytes - self._size, at
            while at < len(lines) and (len(lines[at]) <= room or not (self._size or at > first)):
                room -= len(lines[at])
                at += 1
            if at == first:
                self.close()
                continue
            _write_all(file, b"".join(lines[first:at]))
            self._size = os.fstat(file).st_size

    def _open(self) -> int:
        if self._file is not None and self._path.exists():  # else somebody deleted it
            return self._file
        self.close()
        self._folder.mkdir(mode=0o700, exist_ok=True)
        known = numbered(self._folder).get(self._worker, {})
        self._number = max([*known, self._number]) + 1
        path = self._folder / f"{self._worker}-{self._number}.jsonl"
        # What clients sent is the owner's alone.
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        self._path, self._size, self._synced, self._begun = path, 0, 0, time.monotonic()
        self.tidy()
        return self._file

    def _give_up(self) -> None:
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, self._size)
            if not self._size:
                self._path.unlink()
        with contextlib.suppress(OSError):
            self.close()


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
