"""Whatever is beyond a limit is refused with a clear answer, and harms nobody else."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import struct
import threading
import time
import zlib
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from workbench.core.errors import BadInputError
from workbench.serve.limits import Limits
from workbench.serve.rest.json_depth import check_depth
from workbench.serve.status import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

PATH = "/v1/models/gate:predict"
BODY = b'{"instances": [[1, 2]]}'
HEAD = b"POST /v1/models/gate:predict HTTP/1.1\r\nHost: x\r\n"
MIB = 1 << 20


# Heads.


@pytest.mark.parametrize(
    "line", [b"X: " + b"a" * 2_000_000, b"X: a\r\n" * 300_000, b"X: " + b"a" * 5000], ids=["one", "many", "just"]
)
def test_a_long_head_is_431(open_port: Callable[..., Any], line: bytes) -> None:
    port = open_port({"header_bytes": 4096})
    received = port.raw(HEAD + line.rstrip() + b"\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert received.endswith(b'{"error": "The request\'s head must be at most 4096 bytes"}')


def test_a_head_within_the_limit_is_read_whatever_follows(open_port: Callable[..., Any], reading: Any) -> None:
    port = open_port({"header_bytes": 4096})
    body = BODY + b" " * 60_000
    with port.connect() as connection:
        for _ in range(20):
            connection.sendall(reading.request("POST", PATH, body, X="a" * 3900))
        received = b""
        while received.count(b"predictions") < 20:
            part = connection.recv(65536)
            assert part
            received += part


@pytest.mark.parametrize("begun", [b"P", HEAD, HEAD + b"X: "], ids=["method", "head", "header"])
def test_a_stalled_head_is_408(quick: Any, begun: bytes) -> None:
    received = quick.raw(begun)
    assert received.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert received.endswith(b'{"error": "The request\'s head took too long"}')


def trickle(connection: socket.socket, data: bytes) -> bytes:
    """Send byte after byte until the server has had enough; return its answer."""
    connection.settimeout(0.01)
    for byte in data:
        try:
            connection.sendall(bytes([byte]))
            received = connection.recv(4096)
        except TimeoutError:
            continue
        except OSError:
            return b""
        return received
    raise AssertionError("it took them all")


def test_a_trickling_head_is_408(quick: Any) -> None:
    with quick.connect() as connection:
        assert trickle(connection, HEAD + b"X: " + b"a" * 1000).startswith(b"HTTP/1.1 408 ")


def test_an_empty_connection_is_closed(quick: Any) -> None:
    assert quick.raw(b"") == b""
    assert quick.raw(b"\r\n\r\n") == b""


def test_an_idle_connection_is_closed(quick: Any, reading: Any) -> None:
    with quick.connect() as connection:
        connection.sendall(reading.request("POST", PATH, BODY))
        received = reading.read_all(connection)
    assert received.startswith(b"HTTP/1.1 200 OK")
    assert received.endswith(b"}")


# Bodies.


@pytest.mark.parametrize("length", [b"Content-Length: 23", b"Transfer-Encoding: chunked"], ids=["length", "chunks"])
def test_a_stalled_body_is_408(quick: Any, length: bytes) -> None:
    before = quick.gate.runs
    received = quick.raw(HEAD + length + b"\r\n\r\n" + b"5\r\n{")
    assert received.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert quick.gate.runs == before


def test_a_trickling_body_is_408(quick: Any) -> None:
    with quick.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
        assert trickle(connection, b" " * 999).startswith(b"HTTP/1.1 408 ")


def test_a_slow_body_is_read(quick: Any) -> None:
    port = quick
    with port.connect() as connection:
        connection.sendall(HEAD + b"Connection: close\r\nContent-Length: 5023\r\n\r\n")
        for _ in range(10):  # 5 kB/s, longer than a stall may last
            connection.sendall(b" " * 500)
            threading.Event().wait(0.1)
        connection.sendall(BODY)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")


def test_what_is_announced_too_large_is_not_read(open_port: Callable[..., Any]) -> None:
    begin = time.monotonic()
    received = open_port({"body_bytes": 2048}).raw(HEAD + b"Content-Length: 1099511627776\r\n\r\n", eof=True)
    assert received.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close\r\n" in received
    assert received.endswith(b'{"error": "The request body must be at most 2048 bytes"}')
    assert time.monotonic() - begin < 1


@pytest.mark.parametrize("length", [b"Content-Length: 20000000", b"Transfer-Encoding: chunked"])
def test_a_client_that_goes_on_sending_reads_the_refusal(open_port: Callable[..., Any], length: bytes) -> None:
    # A close with bytes unread would reset the connection, and the reply would be lost.
    with open_port({"body_bytes": 2048}).connect() as connection:
        connection.sendall(HEAD + length + b"\r\n\r\n" + b"%x\r\n" % MIB + b" " * MIB)
        connection.sendall(b" " * MIB)
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")
        assert connection.recv(4096) == b""


def bomb(size: int, bits: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    parts = [packer.compress(bytes(MIB)) for _ in range(size // MIB)]
    return b"".join([*parts, packer.flush()])


@pytest.mark.parametrize(("encoding", "bits"), [("gzip", 31), ("deflate", 15), ("deflate", -15)])
def test_a_bomb_is_413(open_port: Callable[..., Any], encoding: str, bits: int) -> None:
    port = open_port({"body_bytes": 4 * MIB})
    before = psutil.Process().memory_info().rss
    packed = bomb(64 * MIB, bits)
    for _ in range(2):
        status, _, answer = port.predict(packed, Content_Encoding=encoding)
        assert (status, answer["error"]) == (413, f"The request body must be at most {4 * MIB} bytes")
    assert psutil.Process().memory_info().rss - before < 24 * MIB


@pytest.mark.parametrize("body", [b"", b"{", b"x\x9c", gzip.compress(b"{}")[:-2]], ids=["none", "text", "head", "cut"])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_what_is_not_compressed_as_said_is_400(port: Any, encoding: str, body: bytes) -> None:
    status, _, answer = port.predict(body, Content_Encoding=encoding)
    assert (status, list(answer)) == (400, ["error"])


def test_large_bodies_share_a_budget(open_port: Callable[..., Any], reading: Any) -> None:
    port = open_port({"pending_bytes": 3 * MIB})
    large = BODY + b" " * (2 * MIB)
    port.gate.open.clear()
    with port.connect() as connection:
        connection.sendall(reading.request("POST", PATH, large))
        assert port.gate.entered.acquire(timeout=5)
        status, headers, answer = port.predict(large)
        assert (status, headers["retry-after"], list(answer)) == (429, "1", ["error"])
        port.gate.open.set()
        assert reading.read_reply(connection)[0] == 200
    for _ in range(3):
        assert port.predict(large)[0] == 200
        assert port.predict(b"{" + large)[0] == 400


def test_too_many_values_are_413(open_port: Callable[..., Any]) -> None:
    port = open_port({"values": 1000})
    assert port.predict(b'{"instances": [%s]}' % b",".join([b"[1,2]"] * 500))[0] == 200
    status, _, answer = port.predict(b'{"instances": [%s]}' % b",".join([b"[1,2]"] * 501))
    assert (status, answer["error"]) == (413, "The request must have at most 1000 values")


# Depth of JSON.


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
@pytest.mark.parametrize("closed", [False, True])
def test_a_million_levels_are_400(port: Any, opening: bytes, closed: bool) -> None:  # noqa: FBT001
    closing = opening.translate(bytes.maketrans(b"[{", b"]}"), b'"a:')[::-1]
    body = b'{"instances":' + opening * 1_000_000 + (b"1" + closing * 1_000_000 + b"}" if closed else b"")
    status, _, answer = port.predict(body)
    assert (status, answer["error"]) == (400, "JSON Parse error: Arrays and objects are nested too deeply.")
    assert port.predict()[0] == 200


def test_depth_counts_what_is_nested_and_no_text() -> None:
    check_depth(b'{"a": [[1], [2], [3, {"b": 4}]]}' * 100, 4)
    check_depth(json.dumps({"a": '[[[[[[{{{{{{\\"[[[[[', 'k"[[[[[[[': "[[" * 100}).encode(), 4)
    check_depth(b"]" * 100 + b"[" * 3, 4)
    for body in (b"[" * 5, b'{"a":' * 5, b'"[" [[[[[', b"[[[[[" + b'"' + b"\\" * 100_000):
        with pytest.raises(RequestError, match="nested too deeply"):
            check_depth(body, 4)


# Time and numbers.


def test_a_request_may_not_take_for_ever(open_port: Callable[..., Any]) -> None:
    port = open_port({"request_seconds": 0.2})
    port.gate.open.clear()
    begin = time.monotonic()
    status, _, answer = port.predict()
    assert (status, answer["error"]) == (504, "Deadline exceeded")
    assert 0.2 <= time.monotonic() - begin < 1
    assert port.counters.requests("gate", "DEADLINE_EXCEEDED") == 1
    port.gate.open.set()
    assert port.predict()[0] == 200


def test_time_to_send_a_body_is_not_the_request_s(open_port: Callable[..., Any]) -> None:
    port = open_port({"request_seconds": 0.2})
    with port.connect() as connection:
        connection.sendall(HEAD + b"Connection: close\r\nContent-Length: 23\r\n\r\n")
        threading.Event().wait(0.6)
        connection.sendall(BODY)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")


def test_what_nobody_waits_for_is_not_run(port: Any, reading: Any) -> None:
    port.gate.open.clear()
    busy = [port.connect() for _ in range(64)]
    for each in busy:
        each.sendall(reading.request("POST", PATH, BODY))
    assert port.gate.entered.acquire(timeout=5)
    for index, each in enumerate(busy):
        if index % 2:  # half of them say that they will read no reply
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        each.close()
    reading.wait_until(lambda: port.connections() == 0)
    begun = port.gate.runs
    port.gate.open.set()
    assert port.predict()[0] == 200
    assert port.gate.runs == begun + 1 < 64
    reading.wait_until(lambda: port.counters.requests("", "CANCELLED") == 64)


def test_connections_beyond_the_bound_get_503(open_port: Callable[..., Any], reading: Any) -> None:
    port = open_port({"connections": 5})
    held = [port.connect() for _ in range(5)]
    for each in held:
        each.sendall(reading.request("POST", PATH, BODY))
        assert reading.read_reply(each)[0] == 200
    status, headers, answer = port.predict()
    assert (status, headers["retry-after"], headers["connection"]) == (503, "1", "close")
    assert answer == {"error": "The server has as many connections as it may have"}
    for each in held:  # who is in stays in
        each.sendall(reading.request("POST", PATH, BODY))
        assert reading.read_reply(each)[0] == 200
    held.pop().close()
    reading.wait_until(lambda: port.connections() < 5)
    assert port.predict()[0] == 200
    for each in held:
        each.close()


def test_far_too_many_connections_are_closed_at_once(open_port: Callable[..., Any], reading: Any) -> None:
    port = open_port({"connections": 1})
    held = [port.connect() for _ in range(120)]
    reading.wait_until(lambda: port.connections() <= 66)
    for each in held:
        each.close()
    # Some may not have been accepted yet, though their clients have gone.
    reading.wait_until(lambda: port.predict()[0] == 200)


def test_who_reads_no_reply_is_cut_off(open_port: Callable[..., Any], reading: Any) -> None:
    port = open_port({"header_seconds": 0.5})
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", port.number))
    with contextlib.suppress(OSError):
        connection.settimeout(10)
        for _ in range(3000):
            connection.sendall(reading.request("GET", "/monitoring/prometheus/metrics"))
    with connection:
        reading.wait_until(lambda: port.connections() == 0)
    assert port.predict()[0] == 200


def test_a_crowd_of_pipelined_requests_waits_outside(port: Any) -> None:
    count, before = 10_000, psutil.Process().memory_info().rss
    asked = b"GET /healthz HTTP/1.1\r\n\r\n" * (count - 1) + b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n"
    received, most = 0, 0
    with port.connect() as connection:
        sending = threading.Thread(target=connection.sendall, args=(asked,))
        sending.start()
        while part := connection.recv(1 << 20):
            received += part.count(b"200 OK")
            most = max(most, *(len(each.pipeline) for each in tuple(port.server.server_state.connections)), 0)
        sending.join()
    assert count - 100 < received <= count  # a status line may lie across two parts
    assert most <= 64 + 8192 // 25
    assert psutil.Process().memory_info().rss - before < 16 * MIB


@pytest.mark.parametrize("value", [0, -1, 1 << 40])
def test_limits_have_limits(value: int) -> None:
    with pytest.raises(BadInputError, match=r"^body_bytes must be at"):
        Limits(body_bytes=value)
