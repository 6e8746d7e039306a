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

    def __str__(self) -> str:
        """Return it as a line of the timeline."""
        return f"{self.seconds:8.2f} s  {self.kind:<9} {self.words}"


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

    @property
    def summary(self) -> str:
        """When it was noticed and mended, who got no answer, and what it teaches."""
        said = ["nobody noticed" if self.noticed_seconds is None else f"noticed after {self.noticed_seconds:.2f} s"]
        if self.reaction_seconds is not None:
            said.append(f"mended {self.reaction_seconds:.2f} s later")
        if self.restored_seconds is not None:
            said.append(f"clients served as before after {self.restored_seconds:.2f} s")
        elif self.noticed_seconds is not None:
            said.append("clients were not served as before in time")
        failed = f"{self.failed} of {self.requests:,} requests failed"
        return f"{self.title}: {', '.join(said)}; {failed}.\n{self.lesson}"

    def __str__(self) -> str:
        """Return the timeline and the summary."""
        return "\n".join([*map(str, self.timeline), "", self.summary])
