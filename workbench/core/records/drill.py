"""An incident that was caused on purpose: what happened, when it was noticed, and when all was well again."""

from __future__ import annotations

from typing import Literal

from workbench.core.records.base import Record

MomentKind = Literal["begun", "fault", "alarm", "reaction", "restored", "cleared", "ended"]


class DrillMoment(Record):
    """One entry of the timeline.

    Attributes:
        seconds: Since the drill began.
        kind: `begun`, `fault` (caused), `alarm` (noticed), `reaction` (done about it), `restored` (clients are served
            as before), `cleared` (the alarm is over), `ended`.
        words: What happened, one sentence.
    """

    seconds: float
    kind: MomentKind
    words: str


class DrillReport(Record):
    """One drill.

    Attributes:
        fault: Name of the fault.
        title: What it is, in a few words.
        timeline: What happened, in order.
        noticed_seconds: From the fault to the alarm; None where nobody noticed.
        reaction_seconds: From the alarm to the moment from which every answer shows what was done; None where nothing
            was.
        restored_seconds: From the fault to clients being served as before; None where they were not.
        requests: Requests of ordinary clients in all.
        failed: Of them those that got no answer, retries included.
        lesson: What this teaches, a sentence or two.
    """

    fault: str
    title: str
    timeline: tuple[DrillMoment, ...]
    noticed_seconds: float | None
    reaction_seconds: float | None
    restored_seconds: float | None
    requests: int
    failed: int
    lesson: str

    @property
    def passed(self) -> bool:
        """It was noticed, clients are served as before, and none of their requests failed."""
        return self.noticed_seconds is not None and self.restored_seconds is not None and not self.failed
