"""Who changed a server, when, and how it went: JSON lines beside the server's log.

A line is one write, so that lines never mix; text of clients is escaped, so that nobody can forge one. The file is
rotated, so that it cannot grow without end, and where it cannot be written the server serves on.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from workbench.serve.status import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "audit.jsonl"
OLDER = "audit.1.jsonl"
OWNER = "owner"
"""The peer of who started the server: its handle, its terminal, its machine's signals."""

_MOST_BYTES = 4 * 1024 * 1024
_MOST_TEXT = 256
_log = logging.getLogger(__name__)


class Audit:
    """The audit log of one server.

    Attributes:
        path: The file; None where nothing is kept.
    """

    def __init__(self, folder: Path | None, most_bytes: int = _MOST_BYTES) -> None:
        """Open nothing yet.

        Args:
            folder: The server's run folder.
            most_bytes: Size at which a file becomes `audit.1.jsonl`, the one before which is dropped.
        """
        self.path = None if folder is None else folder / NAME
        self._most = most_bytes
        self._failing = False

    @contextlib.contextmanager
    def action(self, name: str, subject: str, *, key_id: str = "", peer: str = "") -> Iterator[None]:
        """Note what is done inside, when it is over: `OK`, or the error's code and sentence.

        Args:
            name: What is asked: `reload`, `load`, `unload`, `stop`.
            subject: Of what, e.g. a model's name.
            key_id: First digits of the hash of the caller's key; empty where none is needed.
            peer: The caller's address, or `OWNER`.
        """
        outcome, reason = "UNKNOWN", ""
        try:
            yield
            outcome = "OK"
        except RequestError as error:
            outcome, reason = error.code.name, error.message
            raise
        finally:
            self.note(name, subject, outcome, reason=reason, key_id=key_id, peer=peer)

    def note(
        self, name: str, subject: str, outcome: str, *, reason: str = "", key_id: str = "", peer: str = ""
    ) -> None:
        """Write one line; never raises."""
        if self.path is None:
            return
        facts = {"action": name, "subject": subject, "outcome": outcome, "reason": reason, "key": key_id, "peer": peer}
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds")}
        line |= {fact: value[:_MOST_TEXT] for fact, value in facts.items() if value}
        try:
            self._write(self.path, json.dumps(line).encode() + b"\n")
        except OSError as error:
            if not self._failing:
                _log.warning("the audit log cannot be written: %s", error.strerror)
            self._failing = True
        else:
            self._failing = False

    def _write(self, path: Path, line: bytes) -> None:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if os.fstat(file).st_size + len(line) > self._most:
                path.replace(path.with_name(OLDER))
                os.close(file)
                file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            os.write(file, line)
        finally:
            os.close(file)
