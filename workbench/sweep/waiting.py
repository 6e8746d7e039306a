"""Wait for jobs on behalf of a sweep: what its worker took down is taken up again, a stopped sweep stops waiting."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.core.errors import BadInputError, JobCancelledError, JobLostError
from workbench.core.events import FILE_NAME, parse

if TYPE_CHECKING:
    from workbench.core.events import Event
    from workbench.jobs import Job

_SECONDS_A_LOOK = 0.5
_TIMES_LOST = 3


@dataclass
class Waiting:
    """All jobs that one driver waits for.

    Attributes:
        stop: Set when the sweep is to end now.
    """

    stop: threading.Event = field(default_factory=threading.Event)
    _asked: list[Job] = field(default_factory=list)

    def settle(self, job: Job) -> float:
        """Wait for a job's end; one that was lost with its worker is resumed, a few times.

        Returns:
            The seconds that it took; 0 where it was not we who began it.

        Raises:
            WorkbenchError: As `Job.wait` does.
            JobCancelledError: The sweep is to end.
        """
        self._asked.append(job)
        for left in reversed(range(_TIMES_LOST)):
            try:
                self._wait(job)
                break
            except JobLostError:
                if not left:
                    raise
                take_up(job)
        return seconds_of(job) if job.begun_here else 0.0

    def cancel(self) -> None:
        """End what was begun for this sweep; what others had begun goes on."""
        self.stop.set()
        for job in self._asked:
            if job.begun_here:
                job.cancel()

    def _wait(self, job: Job) -> None:
        while True:
            try:
                job.wait(timeout=_SECONDS_A_LOOK)
            except TimeoutError:
                if self.stop.is_set():
                    raise JobCancelledError("The sweep was cancelled.") from None
            else:
                return


def seconds_of(job: Job) -> float:
    """Return how long the last attempt of an ended job ran."""
    times = {event.data.get("state"): event.time for event in events_of(job, "state")}
    return max(0.0, times.get("done", 0.0) - times.get("running", 0.0)) if "running" in times else 0.0


def events_of(job: Job, kind: str) -> list[Event]:
    """Return a job's events of one type; the lines of others, of which there may be thousands, are not parsed."""
    try:
        lines = (job.folder / FILE_NAME).read_bytes().splitlines()
    except OSError:
        return []
    sign = f'"type":"{kind}"'.encode()
    return [event for line in lines if sign in line and (event := parse(line)) is not None and event.type == kind]


def take_up(job: Job) -> None:
    """Resume a lost job, unless another who waits for it was faster."""
    try:
        job.resume()
    except BadInputError:
        return
