"""From which versions a loop has rolled back: kept beside the versions, so that no restart forgets it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

from workbench.core.records import Record
from workbench.core.records.base import read_record
from workbench.core.records.loop import PastRollback  # noqa: TC001 - pydantic reads it
from workbench.core.workspace import write_json
from workbench.jobs.lock import locked

if TYPE_CHECKING:
    from pathlib import Path

NAME = "rollbacks.json"
_MOST_KEPT = 10_000


class _Kept(Record):
    rollbacks: tuple[PastRollback, ...] = Field(default=())


@dataclass(frozen=True)
class PastRollbacks:
    """The rollbacks of one model.

    Attributes:
        file: Where they are kept.
    """

    file: Path

    def read(self) -> tuple[PastRollback, ...]:
        """Return them, oldest first.

        Raises:
            WorkspaceError: The file is damaged. Who cannot know which versions were bad must not roll back.
        """
        return read_record(self.file, _Kept).rollbacks if self.file.exists() else ()

    def begin(self, rollback: PastRollback) -> None:
        """Note a rollback before it is made: one that is killed on its way counts as well.

        Raises:
            WorkspaceError: The file is damaged, or the disk refused it.
        """
        with locked(self.file.with_suffix(".lock")):
            self._write((*self.read(), rollback))

    def finish(self, rollback: PastRollback) -> None:
        """Note that it was made.

        Raises:
            WorkspaceError: The file is damaged, or the disk refused it.
        """
        done = rollback.model_copy(update={"done": True})
        with locked(self.file.with_suffix(".lock")):
            self._write(tuple(done if each == rollback else each for each in self.read()))

    def _write(self, rollbacks: tuple[PastRollback, ...]) -> None:
        write_json(self.file, _Kept(rollbacks=rollbacks[-_MOST_KEPT:]).to_json())
