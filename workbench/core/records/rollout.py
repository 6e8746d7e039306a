"""How a new version does beside the one that answers, on the same live requests."""

from __future__ import annotations

from typing import Literal

from workbench.core.records.base import Record
from workbench.core.records.evaluation import Proportion  # noqa: TC001 - pydantic reads it

RolloutState = Literal["running", "promoted", "aborted"]


class RolloutSide(Record):
    """What one of the two versions did meanwhile.

    Attributes:
        version: Its number.
        requests: Clients' requests that it answered or failed; of a shadow the copies.
        errors: Of them those that failed and were not the client's fault.
        p50_ms: Median time of a request that waits for its run and is run, in milliseconds; None before the first.
        p95_ms: The 95th percentile of it.
    """

    version: int
    requests: int = 0
    errors: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None

    @property
    def error_rate(self) -> float:
        """Share of its requests that failed, 0 where there were none."""
        return self.errors / self.requests if self.requests else 0.0


class RolloutReport(Record):
    """A rollout as it stands, or as it ended.

    Attributes:
        model: Model name.
        state: `running`, `promoted` or `aborted`.
        percent: Share of the requests that the new version gets, in percent.
        shadow: It gets copies, and no client sees its answers.
        stable: The version that answers otherwise.
        canary: The new version.
        pairs: Samples that both versions answered.
        agreement: On how many of them both said the same class, with Wilson's interval; None before the first.
        mean_difference: Mean absolute difference of their output values; None where none could be compared.
        dropped: Copies that were not run because the server was busy.
        reason: Why it was promoted or aborted; empty while it runs.
        note: What the store said to it; empty where there is nothing to know.
    """

    model: str
    state: RolloutState
    percent: float
    shadow: bool
    stable: RolloutSide
    canary: RolloutSide
    pairs: int = 0
    agreement: Proportion | None = None
    mean_difference: float | None = None
    dropped: int = 0
    reason: str = ""
    note: str = ""

    @property
    def latency_ratio(self) -> float | None:
        """The new version's 95th percentile over the other's; None before both have one."""
        ours, theirs = self.canary.p95_ms, self.stable.p95_ms
        return ours / theirs if ours is not None and theirs else None
