"""What a rule decides, and why."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.core.records.rollout import RolloutReport, RolloutSide
from workbench.evaluate.intervals import wilson
from workbench.serve.rollout.rule import decide
from workbench.serve.rollout.settings import RolloutRule

RULE = RolloutRule(min_pairs=500, min_agreement=0.95, max_latency_ratio=2, max_error_rate=0.01, min_requests=100)


def report(agreed: int, pairs: int, *, shadow: bool = False, **canary: Any) -> RolloutReport:
    given = {"requests": 400, "p50_ms": 1.0, "p95_ms": 2.0, **canary}
    return RolloutReport(
        model="m", state="running", percent=10, shadow=shadow, pairs=pairs,
        stable=RolloutSide(version=1, requests=4000, p50_ms=1.0, p95_ms=2.0),
        canary=RolloutSide(version=2, **given),
        agreement=wilson(agreed, pairs) if pairs else None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "state", "reason"),
    [
        (report(0, 0), None, ""),
        (report(499, 499), None, ""),
        (report(490, 500), "promoted", "both say the same of 98 % of 500 samples"),
        (report(470, 500), "aborted", "at least 95 % is asked"),
        (report(10, 40), "aborted", "25 % of 40 samples"),
        (report(18, 20), None, ""),  # 90 %, and may be 97
        (report(500, 500, errors=5), "aborted", "5 of 400 requests failed, 1.25 %"),
        (report(500, 500, errors=4), "promoted", ""),
        (report(500, 500, requests=99, errors=5), None, ""),
        (report(500, 500, p95_ms=4.1), "aborted", "2.05 times"),
        (report(500, 500, p95_ms=4.1, shadow=True), "aborted", "2.05 times"),
        (report(500, 500, p95_ms=None), "promoted", ""),
    ],
)
def test_decides(seen: RolloutReport, state: str | None, reason: str) -> None:
    decision = decide(seen, RULE)
    if state is None:
        assert decision is None
    else:
        assert decision is not None
        assert decision[0] == state
        assert reason in decision[1]
