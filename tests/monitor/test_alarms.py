"""Alarms neither flutter nor wait for whoever is told of them."""

from __future__ import annotations

import json
import logging
import socket
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import BadInputError
from workbench.core.records.monitor import AlarmEvent
from workbench.monitor.alarms import Alarms, CallbackTarget, CommandTarget, LogTarget, Rule, WebhookTarget

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVENT = AlarmEvent(
    rule="drift above 0", metric="drift", state="raised", value=1, limit=0, time=1e9, words="Rows 0–2 are darker."
)
WAIT = 10


def states(alarms: Alarms, values: list[float | None]) -> list[str]:
    """What each look changed, as `+`, `-` or `.`."""
    found = []
    for at, value in enumerate(values):
        events = alarms.observe({"p95_ms": value}, time=at)
        found.append("".join("+" if event.state == "raised" else "-" for event in events) or ".")
    return found


def test_an_alarm_is_raised_once_and_ends_once() -> None:
    alarms = Alarms([Rule(metric="p95_ms", above=10, for_windows=2, clear_after=3)])
    values = [11.0, 9, 11, 12, 13, 9, 9, 11, 9, 9, 9, 9, 11, 11]
    assert "".join(states(alarms, values)) == "...+......-..+"
    assert alarms.raised == ("p95_ms above 10",)


def test_what_has_no_news_changes_nothing() -> None:
    alarms = Alarms([Rule(metric="p95_ms", above=10, for_windows=2, clear_after=2)])
    assert "".join(states(alarms, [11, None, None, 11, None, 9, None, 9])) == "...+...-"


def test_a_value_between_the_limits_neither_raises_nor_clears() -> None:
    alarms = Alarms([Rule(metric="accuracy", below=0.9, clear_at=0.95, clear_after=1)])
    seen = [alarms.observe({"accuracy": value}, time=0) for value in (0.91, 0.89, 0.93, 0.949, 0.95, 0.93, 0.89)]
    assert [event.state for events in seen for event in events] == ["raised", "cleared", "raised"]


@given(st.lists(st.floats(0, 20)), st.integers(1, 4), st.integers(1, 4))
def test_raising_and_clearing_take_turns(values: list[float], for_windows: int, clear_after: int) -> None:
    alarms = Alarms([Rule(metric="p95_ms", above=10, for_windows=for_windows, clear_after=clear_after)])
    turns = [at for at, state in enumerate(states(alarms, [*values])) if state != "."]
    found = [state for state in states(Alarms(alarms.rules), [*values]) if state != "."]
    assert found == ["+-"[at % 2] for at in range(len(found))]
    for at, (turn, state) in enumerate(zip(turns, found, strict=True)):
        needed = for_windows if state == "+" else clear_after
        assert turn - (turns[at - 1] if at else -1) >= needed
        assert all((value > 10) == (state == "+") for value in values[turn - needed + 1 : turn + 1])


def test_an_alarm_says_why() -> None:
    alarms = Alarms([Rule(metric="drift", above=0, name="looks"), Rule(metric="error_rate", above=0.5)])
    facts = {"drift": 1.0, "error_rate": 0.25}
    (event,) = alarms.observe(facts, time=5, words={"drift": "Rows 0–2 are darker."})
    assert (event.rule, event.value, event.limit, event.time) == ("looks", 1, 0, 5)
    assert event.words == "drift is 1, above 0. Rows 0–2 are darker."


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "must have either above or below"),
        ({"above": 1, "below": 0}, "must have either above or below"),
        ({"above": 1, "clear_at": 2}, "must not itself be above the limit"),
        ({"below": 1, "clear_at": 0.5}, "must not itself be below the limit"),
    ],
)
def test_a_rule_holds_together(values: dict[str, float], sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        Rule(metric="accuracy", **values)


def test_a_rule_is_read_from_words() -> None:
    assert Rule.of("p95_ms above 50") == Rule(metric="p95_ms", above=50)
    assert Rule.of(" accuracy  below 0.9 for 3 ") == Rule(metric="accuracy", below=0.9, for_windows=3)
    assert Rule.of("error_rate above 5e-3").limit == 0.005
    for text in ("p95 above 50", "p95_ms 50", "p95_ms above fast", "accuracy below 0.9 for", ""):
        with pytest.raises(BadInputError, match=r"must say one of error_rate, p95_ms"):
            Rule.of(text)
    with pytest.raises(BadInputError, match=r"must be at most 1,?000"):
        Rule.of("drift above 0 for 5000")


def test_rules_have_titles_of_their_own() -> None:
    with pytest.raises(BadInputError, match="give one a name"):
        Alarms([Rule(metric="drift", above=0), Rule(metric="drift", above=0)])


def test_the_log_is_a_target(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "workbench.monitor"):
        LogTarget().send(EVENT)
        LogTarget().send(EVENT.model_copy(update={"state": "cleared"}))
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.INFO]
    assert "Rows 0–2 are darker." in caplog.text


def test_a_callback_is_called_in_order_and_may_raise() -> None:
    seen: list[str] = []

    def take(event: AlarmEvent) -> None:
        seen.append(event.rule)
        if event.rule == "b":
            raise ValueError("not\nthis one")

    target = CallbackTarget(take)
    for rule in "abc":
        target.send(EVENT.model_copy(update={"rule": rule}))
    assert target.outbox.close(WAIT)
    assert seen == ["a", "b", "c"]
    assert (target.outbox.delivered, target.outbox.failed) == (2, 1)
    assert target.outbox.error == "ValueError: not this one"
    target.send(EVENT)  # it was closed, and is wanted again
    assert target.outbox.close(WAIT)
    assert seen[3:] == [EVENT.rule]


@contextmanager
def hook(*statuses: int) -> Iterator[tuple[str, list[Any]]]:
    """A server that notes what it is sent and answers so, the last status for ever."""
    seen: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            seen.append((json.loads(body), self.headers["authorization"]))
            self.send_response(statuses[min(len(seen), len(statuses)) - 1])
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/alarm", seen
        server.shutdown()
        thread.join()


def test_a_webhook_is_sent_json_again_where_it_was_not_taken() -> None:
    with hook(503, 200) as (url, seen):
        target = WebhookTarget(url, headers={"authorization": "Bearer token"})
        target.send(EVENT)
        assert target.outbox.close(WAIT)
        target.close()
    assert [AlarmEvent.from_json(body) for body, _ in seen] == [EVENT, EVENT]
    assert seen[0][1] == "Bearer token"
    assert (target.outbox.delivered, target.outbox.failed) == (1, 0)


def test_a_webhook_that_moved_is_not_followed() -> None:
    with hook(307) as (url, seen):
        target = WebhookTarget(url, tries=1)
        target.send(EVENT)
        assert target.outbox.close(WAIT)
        target.close()
    assert len(seen) == 1
    assert target.outbox.error == "OSError: it answered 307"


def test_a_webhook_that_hangs_keeps_nobody_waiting() -> None:
    """It takes the connection and never answers; the sender goes on, and what is too much is dropped and counted."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        target = WebhookTarget(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=0.2, tries=1)
        taken = threading.Event()
        other = CallbackTarget(lambda _: taken.set())
        target.send(EVENT)
        connection, _ = server.accept()  # it hangs in there from here on
        for _ in range(150):
            target.send(EVENT)
        other.send(EVENT)
        assert taken.wait(WAIT)
        assert target.outbox.delivered == 0
        assert target.outbox.dropped >= 49
        connection.close()
        other.close()


def test_a_command_is_given_the_event_and_no_shell_reads_it(tmp_path: Path) -> None:
    script = "import os, sys; open(sys.argv[1], 'w').write(os.environ['WORKBENCH_ALARM_STATE'] + sys.stdin.read())"
    path = tmp_path / "it is; $(here)"
    target = CommandTarget([sys.executable, "-c", script, str(path)])
    target.send(EVENT)
    assert target.outbox.close(WAIT)
    said = path.read_text()
    assert said.startswith("raised{")
    assert AlarmEvent.from_json(json.loads(said.removeprefix("raised"))) == EVENT


def test_a_command_that_fails_or_hangs_is_noted() -> None:
    failing = CommandTarget([sys.executable, "-c", "import sys; sys.exit('no bell here')"])
    failing.send(EVENT)
    assert failing.outbox.close(WAIT)
    assert failing.outbox.error == "OSError: it ended with 1 no bell here"
    hanging = CommandTarget([sys.executable, "-c", "import signal; signal.pause()"], timeout=0.2)
    hanging.send(EVENT)
    assert hanging.outbox.close(WAIT)
    assert "TimeoutExpired" in hanging.outbox.error
    missing = CommandTarget(["/no/such/bell"])
    missing.send(EVENT)
    assert missing.outbox.close(WAIT)
    assert "FileNotFoundError" in missing.outbox.error


def test_what_is_no_target_is_refused() -> None:
    for url in ("ftp://host/x", "host", "http://"):
        with pytest.raises(BadInputError, match="must be an address of http or https"):
            WebhookTarget(url)
    for arguments in ("rm -rf x", [], [1]):
        with pytest.raises(BadInputError, match="must be a list of texts"):
            CommandTarget(arguments)  # type: ignore[arg-type]
