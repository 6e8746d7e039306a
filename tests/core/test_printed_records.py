"""Records print as people read them."""

from __future__ import annotations

from workbench.core.records import DrillMoment, DrillReport, MonitorReport, Verdict
from workbench.core.records.evaluation import GateLine


def test_a_verdict_is_a_line_a_rule() -> None:
    held = GateLine(rule="min_accuracy", limit=0.9, value=0.95, passed=True, reason="It is accurate.")
    broken = GateLine(rule="max_size", limit=10, value=12, passed=False, reason="It is large.")
    assert str(Verdict(passed=False, lines=(held, broken))) == "passed  It is accurate.\nFAILED  It is large."


def test_a_look_tells_what_is_known_and_nothing_else() -> None:
    assert str(MonitorReport(time=0, requests=1200, p95_ms=0.5)).splitlines() == [
        "requests  1,200 since the last look", "latency   95 of 100 within 0.5 ms", "alarms    none",
    ]  # fmt: skip


def test_a_drill_is_a_timeline_and_what_it_teaches() -> None:
    report = DrillReport(
        fault="flood", title="a flood", timeline=(DrillMoment(seconds=1.5, kind="fault", words="It rains."),),
        noticed_seconds=0.25, reaction_seconds=None, restored_seconds=None, requests=1000, failed=3, lesson="Swim.",
    )  # fmt: skip
    assert str(report).splitlines() == [
        "    1.50 s  fault     It rains.",
        "",
        "a flood: noticed after 0.25 s, clients were not served as before in time; 3 of 1,000 requests failed.",
        "Swim.",
    ]
