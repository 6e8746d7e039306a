"""What a standing loop did about the alarms of a server."""

from __future__ import annotations

from typing import Literal

from workbench.core.records.base import Record
from workbench.core.records.monitor import MonitorReport  # noqa: TC001 - pydantic reads it

LoopAct = Literal["rolled_back", "retraining", "published", "promoted", "aborted", "refused", "failed"]


class PastRollback(Record):
    """A rollback that was begun, as the loop remembers it.

    Attributes:
        time: When, seconds since 1970.
        version: The version that answered badly; it is not gone back to.
        to: The version that was to answer instead.
        done: It did. What was begun and not done, e.g. since the process was killed, may be tried again.
    """

    time: float
    version: int
    to: int
    done: bool = False


class LoopEvent(Record):
    """Something was done about an alarm, or was not, and why.

    Attributes:
        time: Seconds since 1970.
        act: `rolled_back`, `retraining` (it has begun), `published` (it passed the gate), `promoted` or `aborted` (the
            trial of what was retrained is over), `refused` (a bound was reached; said once an alarm) or `failed`.
        rule: Title of the rule that was broken.
        words: What was done and why, a sentence or two.
        version: The version that answers since, or that was published; None where there is none.
    """

    time: float
    act: LoopAct
    rule: str
    words: str
    version: int | None = None


class LoopReport(Record):
    """One look at a server, and what was done about it.

    Attributes:
        monitor: What was seen.
        events: What was done, begun, refused or came to its end in this look.
        settling: Something was done a moment ago, and until it shows nothing else is.
        retraining: A retraining runs.
    """

    monitor: MonitorReport
    events: tuple[LoopEvent, ...] = ()
    settling: bool = False
    retraining: bool = False
