"""A job as its asker sees it: a handle to a run folder, good in any process and after any crash."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError, JobCancelledError, JobLostError, JobPausedError, from_dict
from workbench.core.events import Event, EventReader
from workbench.core.workspace import read_json, writing
from workbench.jobs import lock
from workbench.jobs.place import place
from workbench.jobs.request import Request
from workbench.jobs.state import CANCEL, FINAL, LEASE, PAUSE, UNFINISHED, VALUE, State, standing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SECONDS_BETWEEN_LOOKS = 0.05
_SECONDS_FOR_LEASE = 2.0


@dataclass(frozen=True)
class Job:
    """One job. It holds nothing but the folder; everything is read from there when it is asked.

    Attributes:
        folder: The run's folder.
        begun_here: It was this handle's request that began it; another may have found it under way.
    """

    folder: Path
    begun_here: bool = field(default=False, compare=False)

    @property
    def id(self) -> str:
        """Name of the run."""
        return self.folder.name

    @property
    def kind(self) -> str:
        """What sort of job it is."""
        return self.id.split("-", maxsplit=1)[0]

    @property
    def settings(self) -> dict[str, Any]:
        """What it was asked, plain JSON."""
        return Request.load(self.folder).settings

    @property
    def result(self) -> Path:
        """Folder of what it made."""
        return self.folder / "result"

    @property
    def log(self) -> Path:
        """What it printed, and tracebacks."""
        return self.folder / "stderr.log"

    @property
    def state(self) -> State:
        """How it stands now: queued, running, done, failed, cancelled, paused or lost (its process is gone)."""
        return standing(self.folder).state

    def events(self) -> EventReader:
        """Return a reader of everything that happened, from the beginning."""
        return EventReader(self.folder)

    def wait(self, timeout: float | None = None, on_event: Callable[[Event], object] | None = None) -> Any:
        """Wait for the end and return the value.

        Args:
            timeout: Seconds to wait at most; None waits for ever.
            on_event: Called in this thread with each event, those of the past first.

        Raises:
            WorkbenchError: What the stage raised, or `JobFailedError` for what nobody foresaw.
            JobCancelledError: Somebody cancelled it.
            JobPausedError: Somebody paused it; `resume()` goes on.
            JobLostError: Its process is gone; `resume()` goes on.
            TimeoutError: It goes on, but not within `timeout`.
        """
        reader = self.events()
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            # The state is read before the events, so that a final one has all of them.
            state = self.state
            for event in reader.read():
                if on_event is not None:
                    on_event(event)
            if state in FINAL:
                return self.value()
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(f"{self.id} is still {state} after {timeout:g} s.")
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def value(self) -> Any:
        """Return what the stage of an ended job returned, plain JSON.

        Raises:
            BadInputError: It has not ended.
            WorkbenchError: As in `wait`.
        """
        now = standing(self.folder)
        if now.state == "done":
            return read_json(self.result / VALUE)
        if now.state == "failed":
            raise from_dict(now.error or {})
        if now.state == "cancelled":
            raise JobCancelledError(f"{self.id} was cancelled.")
        if now.state == "paused":
            raise JobPausedError(f"{self.id} was paused; go on with job.resume().")
        if now.state == "lost":
            raise JobLostError(f"{self.id} was lost: the process that ran it is gone; go on with job.resume().")
        raise BadInputError.of("job", rule="must have ended to have a value", got=now.state, hint="wait() for it")

    def cancel(self) -> None:
        """End it, now if it runs, and keep it from running if it is queued; one that has ended stays as it is.

        Raises:
            WorkspaceError: The disk refused it.
        """
        if self.state not in FINAL:
            with writing(self.folder):
                (self.folder / CANCEL).touch()

    def pause(self) -> None:
        """Let it end at the next place from which it can go on: learning after its epoch, other stages only if queued.

        Unlike `cancel`, nothing that it has done is lost.

        Raises:
            WorkspaceError: The disk refused it.
        """
        if self.state not in FINAL:
            with writing(self.folder):
                (self.folder / PAUSE).touch()

    def resume(self) -> Job:
        """Try again in the same folder one that was lost, paused, cancelled or failed.

        Its stage finds what the earlier attempt wrote, and `context.resumed` is true.

        Raises:
            BadInputError: It is queued, running or done, or it is not the cluster that runs it.
            WorkspaceError: The disk refused it, or no cluster could be started.
        """
        if Request.load(self.folder).where != "cluster":
            raise BadInputError.of(
                "job", rule="must be one that the cluster runs to be resumed", got=self.kind, hint="ask for it again"
            )
        before = standing(self.folder)
        lease = lock.acquire(self.folder / LEASE, timeout=_SECONDS_FOR_LEASE) if before.state in UNFINISHED else None
        try:
            # Somebody else may have resumed it since; with the lease in our hands nobody can any more.
            if lease is None or standing(self.folder).attempt != before.attempt:
                raise BadInputError.of("job", rule="must be one that ended unfinished to be resumed", got=before.state)
            with writing(self.folder):
                for wish in (CANCEL, PAUSE):
                    (self.folder / wish).unlink(missing_ok=True)
            place(self.folder, before.attempt + 1)
        finally:
            if lease is not None:
                lock.release(lease)
        return self
