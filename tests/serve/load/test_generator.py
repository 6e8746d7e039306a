"""The loop that asks, against servers that do what a test tells them to."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.serve.client.scripted import Scripted, reply, scripted
from workbench.core.records.load import bucket_bounds
from workbench.serve.load.generator import Generator, Outcome
from workbench.serve.load.settings import LoadSettings
from workbench.serve.load.target import LoadTarget

OK = reply(200, b"{}")
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n0\r\n\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n"


def run(server: Scripted, bodies: tuple[bytes, ...] = (b"{}",), **settings: Any) -> Outcome:
    target = LoadTarget(server.url + "/ask?x=1", bodies, {"X-One": "1"})
    given = {"connections": 1, "seconds": 60, "warmup_seconds": 0, "max_requests": 5, "timeout_seconds": 5, **settings}
    return Generator(target.address(), target.requests(), LoadSettings(**given)).run()


def test_every_answer_is_counted_once() -> None:
    with scripted(OK) as server:
        outcome = run(server, connections=3, max_requests=50)
    assert (sum(outcome.counts.values()), outcome.errors, outcome.unsent) == (50, {}, 0)
    assert outcome.sum_us > 0
    assert outcome.max_us > 0
    assert len(server.requests) == 50


def test_bodies_take_turns_and_heads_are_whole() -> None:
    with scripted(OK) as server:
        run(server, bodies=(b"[1]", b"[22]"), max_requests=4)
    heads, bodies = zip(*(request.split(b"\r\n\r\n") for request in server.requests), strict=True)
    assert bodies == (b"[1]", b"[22]", b"[1]", b"[22]")
    assert heads[0].split(b"\r\n") == [
        b"POST /ask?x=1 HTTP/1.1", f"host: 127.0.0.1:{server.port}".encode(), b"content-type: application/json",
        b"x-one: 1", b"content-length: 3",
    ]  # fmt: skip


def test_a_large_body_goes_in_parts() -> None:
    body = b"x" * (16 << 20)  # more than the system takes at once
    with scripted(OK) as server:
        outcome = run(server, bodies=(body,), max_requests=2)
    assert sum(outcome.counts.values()) == 2
    assert [len(request.partition(b"\r\n\r\n")[2]) for request in server.requests] == [len(body)] * 2


def test_refusals_are_counted_by_status() -> None:
    with scripted(OK, reply(503), reply(503), reply(429), OK) as server:
        outcome = run(server)
    assert (sum(outcome.counts.values()), dict(outcome.errors)) == (2, {"503": 2, "429": 1})


def test_chunks_and_answers_that_end_the_connection() -> None:
    with scripted(CHUNKED, reply(200, b"{}", "Connection: close"), CHUNKED, OK) as server:
        outcome = run(server)
    assert (sum(outcome.counts.values()), outcome.errors) == (5, {})


@pytest.mark.parametrize("broken", [None, b"SSH-2.0\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_a_broken_connection_is_one_error_and_is_made_again(broken: bytes | None) -> None:
    with scripted(OK, broken, OK) as server:
        outcome = run(server)
    assert (sum(outcome.counts.values()), dict(outcome.errors)) == (4, {"connection": 1})


def test_nobody_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as once:
        server = Scripted([OK], once.getsockname()[1])
    outcome = run(server, seconds=0.1, max_requests=1000)
    # A connection that was refused rests a while.
    assert 1 <= outcome.errors["connection"] < 10


def test_an_answer_that_does_not_come() -> None:
    with scripted(OK, b"HTTP/1.1 200 OK\r\n") as server:
        outcome = run(server, max_requests=2, timeout_seconds=0.1)
    assert (sum(outcome.counts.values()), dict(outcome.errors)) == (1, {"timeout": 1})


def test_a_server_that_stalls_is_charged_with_all_that_came_meanwhile() -> None:
    """Of one connection and a first answer that comes late: whatever was due meanwhile counts from when it was due."""
    with scripted(b"HTTP/1.1 200 OK\r\n", OK) as server:
        outcome = run(server, seconds=0.5, rate=100.0, max_requests=1000, timeout_seconds=0.4)
    slow = sum(count for bucket, count in outcome.counts.items() if bucket_bounds(bucket)[1] > 100_000)
    assert outcome.errors["timeout"] >= 1
    # Some 40 were due while the first was waited for, of which those of the first 0.3 s waited longer than 0.1 s.
    assert slow >= 15


def test_what_is_never_sent_is_told() -> None:
    with scripted(b"HTTP/1.1 200 OK\r\n") as server:
        outcome = run(server, seconds=0.1, rate=1000.0, max_requests=1000, timeout_seconds=0.1)
    assert outcome.unsent > 10
    assert not outcome.counts


def test_warm_up_is_left_out() -> None:
    with scripted(OK) as server:
        outcome = run(server, seconds=0.05, warmup_seconds=0.05, max_requests=10_000_000)
    assert 0 < sum(outcome.counts.values()) < len(server.requests)
