"""When a client asks again, and when not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.serve.client.scripted import reply, scripted
from workbench.core.errors import ServingError
from workbench.serve.client import Retries, client
from workbench.serve.client.face import RefusedError
from workbench.serve.client.http import retry_after
from workbench.serve.client.retries import Patience

if TYPE_CHECKING:
    from collections.abc import Callable

BUSY = RefusedError("503", "busy", again=True)
FAST = Retries(attempts=3, first_seconds=0.001)
ANSWER = reply(200, b'{"outputs": [1.5]}')


class Clock:
    """A time that passes only where somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def patience(clock: Clock, **settings: float) -> Patience:
    return Patience(Retries(**settings), clock=clock, sleep=clock.sleep, draw=lambda low, high: low + high)


def question(*outcomes: RefusedError | str) -> tuple[Callable[[float], str], list[float]]:
    left, seconds = list(outcomes), []

    def ask(given: float) -> str:
        seconds.append(given)
        outcome = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(outcome, RefusedError):
            raise outcome
        return outcome

    return ask, seconds


def test_pauses_double_up_to_the_longest() -> None:
    clock = Clock()
    ask, seconds = question(BUSY, BUSY, BUSY, BUSY, "yes")
    assert patience(clock, attempts=9, first_seconds=0.5, most_seconds=1.5).ask(ask, 30) == "yes"
    assert clock.pauses == [0.5, 1.0, 1.5, 1.5]
    assert seconds == [30, 29.5, 28.5, 27, 25.5]


def test_the_server_says_when_to_come_back() -> None:
    clock = Clock()
    ask, _ = question(RefusedError("429", "later", again=True, after=7.0), "yes")
    assert patience(clock, first_seconds=0.5).ask(ask, 30) == "yes"
    assert clock.pauses == [7.5]


def test_what_would_come_too_late_is_not_waited_for() -> None:
    clock = Clock()
    ask, seconds = question(RefusedError("503", "later", again=True, after=60.0), "yes")
    with pytest.raises(RefusedError, match="503 later"):
        patience(clock).ask(ask, 30)
    assert (clock.pauses, len(seconds)) == ([], 1)


def test_what_cannot_help_is_not_tried() -> None:
    clock = Clock()
    ask, seconds = question(RefusedError("400", "wrong"), "yes")
    with pytest.raises(RefusedError, match="400 wrong"):
        patience(clock).ask(ask, 30)
    assert len(seconds) == 1


def test_attempts_end() -> None:
    ask, seconds = question(BUSY)
    with pytest.raises(RefusedError, match="503 busy"):
        patience(Clock(), attempts=3).ask(ask, 30)
    assert len(seconds) == 3


def test_a_server_in_trouble_is_not_asked_twice_by_everyone() -> None:
    many = patience(Clock(), attempts=2, budget=0.1)
    ask, seconds = question(BUSY)
    for _ in range(100):
        with pytest.raises(RefusedError):
            many.ask(ask, 30)
    # 100 questions, the 10 retries saved up, and a tenth of the questions.
    assert 100 + 10 <= len(seconds) <= 100 + 21


@pytest.mark.parametrize("status", [429, 503])
def test_busy_over_http(status: int) -> None:
    busy = reply(status, b'{"error": "busy"}', "retry-after: 0")
    with scripted(busy, busy, ANSWER) as server, client(server.url, retries=FAST) as asking:
        assert asking.predict([1]).tolist() == [1.5]
        assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 500, 501, 504])
def test_other_refusals_over_http_are_final(status: int) -> None:
    with (
        scripted(reply(status, b'{"error": "no,\\nnever"}', "retry-after: 0"), ANSWER) as server,
        client(server.url, retries=FAST) as asking,
    ):
        with pytest.raises(ServingError, match=rf"answered {status}: no, never(; give a key .*)?$"):
            asking.predict([1])
        assert len(server.requests) == 1


def test_a_wait_that_is_too_long_is_told() -> None:
    busy = reply(503, b'{"error": "full"}', "retry-after: 3600")
    with (
        scripted(busy) as server,
        client(server.url) as asking,
        pytest.raises(ServingError, match=r"answered 503: full \(it asks to wait 3600 s\)"),
    ):
        asking.predict([1])


def test_a_connection_that_broke_is_made_again() -> None:
    with scripted(None, ANSWER) as server, client(server.url, retries=FAST) as asking:
        assert asking.predict([1]).tolist() == [1.5]
        assert len(server.requests) == 2


def test_a_connection_is_kept() -> None:
    refused = reply(404, b'{"error": "no"}')
    with scripted(ANSWER, refused, reply(200, b""), ANSWER) as server:
        with client(server.url, retries=FAST) as asking, client(f"{server.url}/v2") as other:
            asking.predict([1])
            with pytest.raises(ServingError, match="answered 404: no"):
                asking.predict([1])
            assert other.ready()  # Triton's answer is empty
            assert other.ready()
            asking.predict([1])
        assert (len(server.requests), server.connections) == (5, 2)


def test_an_answer_that_does_not_end_is_not_waited_for() -> None:
    begun = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"
    with (
        scripted(begun) as server,
        client(server.url, timeout=0.1) as asking,
        pytest.raises(ServingError, match=r"does not answer \(there was no whole answer within 0.1 s\)"),
    ):
        asking.predict([1])


def test_something_else_than_json() -> None:
    with (
        scripted(reply(200, b"<html>")) as server,
        client(server.url) as asking,
        pytest.raises(ServingError, match="with something else than JSON"),
    ):
        asking.predict([1])


def test_retry_after_is_seconds_or_a_date() -> None:
    now = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
    assert retry_after("7", now) == 7
    assert retry_after("Fri, 01 May 2026 12:00:09 GMT", now) == 9
    assert retry_after("Fri, 01 May 2026 11:00:00 GMT", now) == 0
    assert retry_after("soon", now) is None
    assert retry_after(None, now) is None
