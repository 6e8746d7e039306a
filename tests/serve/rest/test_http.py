"""HTTP itself: what is malformed is 400 and harmless, what is odd but right is answered."""

from __future__ import annotations

import json
import threading
import zlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PATH = "/v1/models/gate:predict"
BODY = b'{"instances": [[1, 2]]}'
ANSWER = {"predictions": [[2.0, 4.0]]}


def test_it_says_what_it_must_and_no_more(port: Any) -> None:
    status, headers, reply = port.ask("POST", PATH, BODY)
    assert (status, json.loads(reply)) == (200, ANSWER)
    assert headers.keys() == {"date", "content-type", "content-length", "connection"}


HEAD = b"POST /v1/models/gate:predict HTTP/1.1\r\nHost: x\r\n"
CHUNK = b"17\r\n" + BODY + b"\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"Content-Length: 23\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK,
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 23\r\n\r\n" + CHUNK,
        HEAD + b"Content-Length: 23\r\nContent-Length: 24\r\n\r\n" + BODY,
        HEAD + b"Content-Length: 23\r\nContent-Length: 23\r\n\r\n" + BODY,
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 23 \x00\r\n\r\n" + BODY,
        HEAD + b"Content-Length: 99999999999999999999999999\r\n\r\n",
        HEAD + b"Transfer-Encoding: identity\r\n\r\n" + BODY,
        HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNK,
        HEAD + b"Transfer-Encoding : chunked\r\n\r\n" + CHUNK,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"X: a\r\n folded\r\n\r\n",
        HEAD + b"Bad\x00Name: a\r\n\r\n",
        b"GET /v1/models/gate HTTP/9.1\r\n\r\n",
        b"CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        b"GET /v1/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x00" * 5000,
    ],
    ids=[
        *(
            "length and chunks",
            "chunks and length",
            "two lengths",
            "the same length twice",
            "negative",
            "NUL in length",
        ),
        *("overflow", "identity", "xchunked", "space before colon", "bad chunk", "folded", "NUL in a name"),
        *("HTTP/9", "CONNECT", "HTTP/2", "TLS", "bytes in the path", "zeros"),
    ],
)
def test_what_is_malformed_is_400(port: Any, data: bytes) -> None:
    received = port.raw(data)
    assert received.count(b"HTTP/1.1 ") == 1
    assert received.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b'{"error": "' in received
    assert port.predict()[0] == 200
    assert port.gate.runs == 1


def test_a_chunked_request_ends_where_its_chunks_end(port: Any) -> None:
    # What follows is the next request and no part of the body: nothing can be smuggled.
    second = b"GET /v1/models/gate HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    received = port.raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNK + second)
    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert received.index(b"predictions") < received.index(b"AVAILABLE")


def test_replies_keep_the_order_of_requests(port: Any, reading: Any) -> None:
    bodies = [f'{{"instances": [[{index}, 0]]}}'.encode() for index in range(20)]
    with port.connect() as connection:
        connection.sendall(b"".join(reading.request("POST", PATH, body) for body in bodies))
        received = b""
        while received.count(b"predictions") < 20:
            received += connection.recv(65536)
    answers = [
        json.loads(b'{"predictions":' + part.partition(b"}")[0] + b"}")
        for part in received.split(b'"predictions":')[1:]
    ]
    assert [answer["predictions"][0][0] for answer in answers] == [2.0 * index for index in range(20)]


def test_a_refusal_waits_for_the_replies_before_it(port: Any, reading: Any) -> None:
    port.gate.open.clear()
    with port.connect() as connection:
        connection.sendall(
            reading.request("POST", PATH, b'{"instances": [[1, 2]], "signature_name": ""}' + b" " * 70_000)
        )
        assert port.gate.entered.acquire(timeout=5)
        connection.sendall(b"nonsense\r\n\r\n")
        port.gate.open.set()
        received = reading.read_all(connection)
    assert received.startswith(b"HTTP/1.1 200 OK")
    assert received.index(b"predictions") < received.index(b"HTTP/1.1 400 Bad Request")


def test_a_refusal_behind_many_requests(port: Any, reading: Any) -> None:
    good = reading.request("GET", "/v1/models/gate")
    received = port.raw(good * 300 + b"nonsense\r\n\r\n" + good * 300)
    assert received.count(b"HTTP/1.1 200 OK") == 300
    assert received.count(b"HTTP/1.1 ") == 301
    assert received.rindex(b"HTTP/1.1 400 ") > received.rindex(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("cut", [1, 500, 8191, 8192, 8193, 20_000])
def test_many_requests_in_any_parts(port: Any, reading: Any, cut: int) -> None:
    body = BODY + b" " * 3000
    asked = reading.request("POST", PATH, body) * 20 + reading.request("GET", "/v1/models/gate", Connection="close")
    with port.connect() as connection:
        connection.sendall(asked[:cut])
        threading.Event().wait(0.05)
        connection.sendall(asked[cut:-1])
        threading.Event().wait(0.05)
        connection.sendall(asked[-1:])
        received = reading.read_all(connection)
    assert received.count(b"predictions") == 20
    assert received.count(b"AVAILABLE") == 1


@pytest.mark.parametrize("body", [b"{", b'{"instances": []}', b'{"instances": [[1]]}', b"\xff"])
def test_the_connection_lives_on_after_an_error(port: Any, reading: Any, body: bytes) -> None:
    with port.connect() as connection:
        for each, status in ((body, 400), (BODY, 200)):
            connection.sendall(reading.request("POST", PATH, each))
            assert reading.read_reply(connection)[0] == status


def test_a_body_that_is_awaited_is_asked_for(port: Any) -> None:
    with port.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: 23\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")


def test_a_body_too_large_is_not_asked_for(port: Any) -> None:
    received = port.raw(HEAD + b"Content-Length: 1000000000000\r\nExpect: 100-continue\r\n\r\n", eof=True)
    assert received.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("offer", ["h2c", "websocket"])
def test_an_offer_of_another_protocol_is_not_taken(port: Any, reading: Any, offer: str) -> None:
    # Java's HTTP client makes one with each request.
    headers = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": offer, "HTTP2_Settings": "AAEAAEAAAAIAAAABAAMAAABk"}
    with port.connect() as connection:
        for _ in range(2):
            connection.sendall(reading.request("POST", PATH, BODY, **headers))
            status, _, reply = reading.read_reply(connection)
            assert (status, json.loads(reply)) == (200, ANSWER)
        connection.sendall(reading.request("POST", PATH, BODY, Connection="Upgrade, close", Upgrade=offer))
        assert reading.read_all(connection).startswith(b"HTTP/1.1 200 OK")


def test_http_1_0(port: Any, reading: Any) -> None:
    old = b"POST /v1/models/gate:predict HTTP/1.0\r\nContent-Length: 23\r\n"
    assert port.raw(old + b"\r\n" + BODY).startswith(b"HTTP/1.1 200 OK")
    with port.connect() as connection:  # as ApacheBench asks
        for _ in range(2):
            connection.sendall(old + b"Connection: Keep-Alive\r\n\r\n" + BODY)
            status, headers, _ = reading.read_reply(connection)
            assert (status, headers["connection"]) == (200, "keep-alive")


def test_a_client_that_closed_its_half_is_answered(port: Any, reading: Any) -> None:
    port.gate.open.clear()
    with port.connect() as connection:
        connection.sendall(reading.request("POST", PATH, BODY))
        connection.shutdown(1)
        assert port.gate.entered.acquire(timeout=5)
        port.gate.open.set()
        assert reading.read_all(connection).startswith(b"HTTP/1.1 200 OK")


def test_a_client_that_closes_its_half_at_once_is_answered(port: Any, reading: Any) -> None:
    for _ in range(20):
        assert port.raw(reading.request("GET", "/v1/models/gate"), eof=True).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", "deflate", "raw deflate", "identity"])
def test_compressed_bodies(port: Any, encoding: str) -> None:
    bits = {"deflate": zlib.MAX_WBITS, "raw deflate": -zlib.MAX_WBITS}.get(encoding, 31)
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    body = BODY if encoding == "identity" else packer.compress(BODY) + packer.flush()
    status, _, answer = port.predict(body, Content_Encoding=encoding.rpartition(" ")[2])
    assert (status, answer) == (200, ANSWER)


def test_other_encodings_are_400(port: Any) -> None:
    status, _, answer = port.predict(b"\x0b\x02\x80", Content_Encoding="br")
    assert (status, answer["error"]) == (400, "The request's Content-Encoding must be gzip, deflate or identity")


@pytest.mark.parametrize("cors", [False, True])
def test_preflight(open_port: Callable[..., Any], cors: bool) -> None:  # noqa: FBT001 - a case
    port = open_port(cors=cors)
    leave = {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "POST, GET",
        "access-control-allow-headers": "Content-Type",
    }
    for origin, expected in (("http://a.example", 200), ("https://a.example", 200), ("null", 400), ("", 400)):
        status, headers, reply = port.ask("OPTIONS", PATH, Origin=origin)
        assert (status, reply == b"") == (expected, expected == 200)
        assert {name: value for name, value in headers.items() if name.startswith("access-")} == (leave if cors else {})
    assert port.ask("OPTIONS", "/elsewhere", Origin="http://a.example")[0] == 404
    for body, expected in ((BODY, 200), (b"{", 400)):
        status, headers, _ = port.predict(body)
        assert (status, headers.get("access-control-allow-origin")) == (expected, "*" if cors else None)


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "TRACE", "GET"])
def test_other_methods_are_malformed(port: Any, method: str) -> None:
    status, _, reply = port.ask(method, PATH)
    assert status == 400
    if method != "HEAD":
        assert json.loads(reply) == {"error": f"Malformed request: {method} {PATH}"}


def test_pages_are_read_only(port: Any) -> None:
    for path in ("/healthz", "/monitoring/prometheus/metrics", "/monitoring/stats"):
        assert port.ask("GET", path)[0] == 200
        assert port.ask("POST", path)[0] == 405
