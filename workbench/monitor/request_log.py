"""Reads what a server noted of its requests, while it goes on noting."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from pydantic import Field, ValidationError

from workbench.core.records import LoggedRequest, Record
from workbench.serve.request_log.files import numbered
from workbench.serve.request_log.settings import FOLDER

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from workbench.serve.handle import Sandbox


class Cursor(Record):
    """How far somebody has read.

    Attributes:
        files: By worker, the number of the file that is read and the bytes of it that were.
        damaged: Lines that were no record and were left out.
    """

    files: dict[str, tuple[int, int]] = Field(default_factory=dict)
    damaged: int = 0


def log_folder(server: Sandbox | str | Path) -> Path:
    """Return where a server's request log is, whether or not it has begun.

    Args:
        server: The server, its run folder, or the folder itself.
    """
    folder = Path(server) if isinstance(server, (str, Path)) else server.folder
    return folder if folder.name == FOLDER else folder / FOLDER


def read(server: Sandbox | str | Path, after: Cursor | None = None) -> tuple[tuple[LoggedRequest, ...], Cursor]:
    """Return what was noted since the last reading.

    A line that is still being written is left for the next time; one that was torn by a crash, or damaged, is left out
    and counted. Files that were deleted meanwhile are passed over.

    Args:
        server: The server, its run folder, or the folder of its log.
        after: How far it was read; None reads all there is.

    Returns:
        The requests of all workers, oldest first, and how far it is read now.
    """
    cursor = after or Cursor()
    found: list[LoggedRequest] = []
    places, damaged = dict(cursor.files), cursor.damaged
    for worker, files in numbered(log_folder(server)).items():
        number, offset = places.get(str(worker), (0, 0))
        for at, path in files.items():
            if at < number:
                continue
            lines, end = _lines(path, offset if at == number else 0, is_last=at == max(files))
            for line in lines:
                request = _parsed(line)
                if request is None:
                    damaged += 1
                else:
                    found.append(request)
            places[str(worker)] = (at, end)
    found.sort(key=lambda one: one.time)
    return tuple(found), Cursor(files=places, damaged=damaged)


def follow(
    server: Sandbox | str | Path, stop: threading.Event, *, after: Cursor | None = None, seconds: float = 0.5
) -> Iterator[tuple[LoggedRequest, ...]]:
    """Yield what is noted, as it comes, until somebody stops it.

    Args:
        server: As of `read`.
        stop: Set to end; what was noted until then is still yielded.
        after: As of `read`.
        seconds: Time between two looks.
    """
    cursor, last = after, False
    while not last:
        last = stop.wait(seconds)
        requests, cursor = read(server, cursor)
        if requests:
            yield requests


def _lines(path: Path, offset: int, *, is_last: bool) -> tuple[list[bytes], int]:
    """Return the whole lines of a file from a place on, and the place behind them."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read()
    except OSError:  # it was deleted
        return [], offset
    if is_last:
        data = data[: data.rfind(b"\n") + 1]
    return data.splitlines(), offset + len(data)


def _parsed(line: bytes) -> LoggedRequest | None:
    try:
        return LoggedRequest.from_json(orjson.loads(line))
    except (ValueError, ValidationError):
        return None
