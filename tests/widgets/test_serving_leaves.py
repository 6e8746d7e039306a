"""Leaves around a server: bounded, and whole."""

from __future__ import annotations

from workbench.widgets.event_log import MOST_LINES, EventLog
from workbench.widgets.timeline import Timeline


def test_a_log_keeps_its_last_lines_and_counts_the_others() -> None:
    log = EventLog()
    log.add({"text": str(number)} for number in range(150))
    log.add([{"text": "x" * 10_000, "tone": "bad"}])
    log.add({"text": str(number)} for number in range(150))
    assert len(log.lines) == MOST_LINES
    assert log.dropped == 301 - MOST_LINES
    assert log.lines[-1] == {"text": "149"}
    assert max(len(line["text"]) for line in log.lines) < 500
    log.clear()
    assert (log.lines, log.dropped) == ([], 0)


def test_a_log_that_nothing_is_added_to_sends_nothing() -> None:
    log, sent = EventLog(), []
    log.observe(sent.append)
    log.add([])
    assert sent == []


def test_a_timeline_keeps_its_last_moments() -> None:
    line = Timeline()
    line.show({"time": str(number), "kind": "alarm", "words": "x"} for number in range(500))
    line.add([{"time": "500", "kind": "over", "words": "y"}])
    assert len(line.moments) == 200
    assert line.moments[-1]["time"] == "500"
