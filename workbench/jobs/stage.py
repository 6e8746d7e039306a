"""What a stage is given: its settings, its folder and a way to say how it goes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.core.errors import JobPausedError
from workbench.jobs.state import PAUSE

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.events import EventWriter
    from workbench.core.workspace import Workspace

_SECONDS_BETWEEN_PROGRESS = 0.1


@dataclass
class StageContext:
    """One run as the stage function sees it.

    A stage is a function `run(context) -> value` named by its import path (`workbench.train.fit:run`). It reads
    `settings`, writes files to `result`, reports with `emit` and `progress`, and returns plain JSON, a `Record`,
    or None. It raises `WorkbenchError` for what a person should read.

    Attributes:
        folder: The run's folder; a stage may keep its checkpoints here.
        settings: Plain JSON, as it was asked.
        workspace: Where other runs and the cache are.
        resumed: True where an earlier process worked on this run and died.
        events: The run's event file.
    """

    folder: Path
    settings: dict[str, Any]
    workspace: Workspace
    resumed: bool
    events: EventWriter
    _last_progress: float = field(default=0.0, init=False)

    @property
    def result(self) -> Path:
        """Folder of what the run made."""
        return self.folder / "result"

    def emit(self, type_: str, /, **data: Any) -> None:
        """Append an event."""
        self.events.emit(type_, **data)

    def pause_if_asked(self) -> None:
        """End here if somebody asked for a pause; call it where everything is written that going on needs.

        Raises:
            JobPausedError: Somebody did.
        """
        if (self.folder / PAUSE).exists():
            raise JobPausedError(f"{self.folder.name} was paused.")

    def progress(self, done: float, total: float, label: str = "") -> None:
        """Say how far the stage is; at most ten a second are written, the last one always."""
        now = time.monotonic()
        if done < total and now - self._last_progress < _SECONDS_BETWEEN_PROGRESS:
            return
        self._last_progress = now
        self.emit("progress", done=done, total=total, label=label)
