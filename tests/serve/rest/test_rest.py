"""The door: HTTP itself, limits, metrics, and nothing that a client sends ends the server."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.serve.sandbox import Sandbox


BODY = b'{"instances": [[[[0], [0]], [[0], [0]]]]}'
ANSWER = {"predictions": [[0.25, 0.25, 0.25, 0.25]]}
LIMIT = 64 * 1024 * 1024


def connect(served: Sandbox) -> http.client.HTTPConnection:
    where = urlsplit(served.url)
    assert where.hostname == "127.0.0.1"
    return http.client.HTTPConnection(where.hostname, where.port, timeout=10)


def ask(served: Sandbox, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
    connection = connect(served)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body, headers=named)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def predict(served: Sandbox, body: Any, **headers: str) -> tuple[int, Any]:
    status, _, reply = ask(served, "POST", "/v1/models/tiny:predict", body, **headers)
    return status, json.loads(reply)


def test_predict_with_any_content_type(served: Sandbox) -> None:
    status, headers, reply = ask(served, "POST", "/v1/models/tiny:predict", BODY, Content_Type="text/plain")
    assert (status, headers["content-type"], json.loads(reply)) == (200, "application/json", ANSWER)


def test_query_is_not_part_of_the_path(served: Sandbox) -> None:
    assert ask(served, "GET", "/v1/models/tiny?x=1")[0] == 200


def test_gzip_and_chunked_bodies(served: Sandbox) -> None:
    assert predict(served, gzip.compress(BODY), Content_Encoding="gzip") == (200, ANSWER)
    assert predict(served, gzip.compress(BODY[:9]) + gzip.compress(BODY[9:]), Content_Encoding="gzip") == (200, ANSWER)
    assert predict(served, iter([BODY[:7], BODY[7:]])) == (200, ANSWER)


@pytest.mark.parametrize(
    "body", [b"no gzip", gzip.compress(BODY)[:-9], gzip.compress(BODY) + b"?"], ids=["none", "cut", "more"]
)
def test_damaged_gzip_is_400(served: Sandbox, body: bytes) -> None:
    status, reply = predict(served, body, Content_Encoding="gzip")
    assert (status, list(reply)) == (400, ["error"])


def test_keep_alive_goes_on_after_an_error(served: Sandbox) -> None:
    connection = connect(served)
    for body, status in ((BODY, 200), (b"{", 400), (BODY, 200)):
        connection.request("POST", "/v1/models/tiny:predict", body=body)
        response = connection.getresponse()
        response.read()
        assert response.status == status
    connection.close()


def raw(served: Sandbox, data: bytes, until: bytes) -> bytes:
    where = urlsplit(served.url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(data)
        received = b""
        while until not in received and (part := connection.recv(65536)):
            received += part
    return received


def test_pipelined_replies_come_in_order(served: Sandbox) -> None:
    paths = ["/v1/models/tiny", "/v1/models/none", "/healthz", "/v1/models/tiny/metadata"]
    lines = b"".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in paths)
    received = raw(served, lines, b"signature_def")
    order = [received.index(mark) for mark in (b"AVAILABLE", b"Could not find", b'"ready"', b"signature_def")]
    assert order == sorted(order)


def test_expect_100_continue(served: Sandbox) -> None:
    head = f"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BODY)}\r\n"
    received = raw(served, head.encode() + b"Expect: 100-continue\r\n\r\n" + BODY, b"predictions")
    assert received.startswith(b"HTTP/1.1 100 ")
    assert b"HTTP/1.1 200 OK" in received


@pytest.mark.parametrize(
    "data",
    [
        b"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / nonsense\r\n\r\n",
    ],
    ids=["two lengths", "TLS", "no HTTP"],
)
def test_what_is_no_http_is_harmless(served: Sandbox, data: bytes) -> None:
    assert raw(served, data, b"\0").startswith(b"HTTP/1.1 400")
    assert predict(served, BODY) == (200, ANSWER)


def test_an_announced_terabyte_is_refused_unread(served: Sandbox) -> None:
    begin = time.monotonic()
    head = f"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: x\r\nContent-Length: {1 << 40}\r\n\r\n"
    received = raw(served, head.encode(), b"\0")
    assert received.startswith(b"HTTP/1.1 413")
    assert f'{{"error": "The request body must be at most {LIMIT} bytes"}}'.encode() in received
    assert time.monotonic() - begin < 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just({"b64": "YQ=="}),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["image", "b64", "x"]), inner, max_size=2)
    ),
    max_leaves=12,
)
BODIES = (
    st.binary(max_size=200)
    | st.text(max_size=100).map(lambda text: text.encode(errors="replace"))
    | st.fixed_dictionaries(
        {}, optional={"instances": JSON, "inputs": JSON, "signature_name": st.none() | st.text() | st.just("")}
    ).map(lambda document: json.dumps(document).encode())
    | st.tuples(st.integers(0, len(BODY)), st.binary(max_size=3)).map(lambda cut: BODY[: cut[0]] + cut[1])
)


@pytest.fixture(scope="module")
def fuzzed(served: Sandbox) -> Iterator[http.client.HTTPConnection]:
    connection = connect(served)
    yield connection
    connection.close()


@given(body=BODIES)
@settings(max_examples=200, deadline=None)
def test_no_body_is_a_server_error(fuzzed: http.client.HTTPConnection, body: bytes) -> None:
    fuzzed.request("POST", "/v1/models/tiny:predict", body=body)
    response = fuzzed.getresponse()
    reply = json.loads(response.read())
    assert (response.status, list(reply)) in ((200, ["predictions"]), (200, ["outputs"]), (400, ["error"]))


@pytest.mark.parametrize("path", ["/", "/v3", "/etc/passwd", "/v1", "/%2e%2e/%2e%2e/etc/passwd", "/v1%2fmodels/tiny"])
def test_other_paths_are_404(served: Sandbox, path: str) -> None:
    status, headers, reply = ask(served, "GET", path)
    # The page of the library under TensorFlow Serving.
    assert (status, headers["content-type"], headers["connection"]) == (404, "text/html", "close")
    assert reply == b"<HTML><HEAD>\n<TITLE>404 Not Found</TITLE>\n</HEAD><BODY>\n<H1>Not Found</H1>\n</BODY></HTML>\n"


@pytest.mark.parametrize("name", ["..", "%2e%2e", "%2e%2e%2f%2e%2e%2fetc", "..%5c..", "a%0d%0ab", "%00"])
def test_names_never_become_paths(served: Sandbox, name: str) -> None:
    status, _, reply = ask(served, "GET", f"/v1/models/{name}")
    assert status == 404
    assert json.loads(reply)["error"].startswith("Could not find any versions of model ")


def test_healthz(served: Sandbox) -> None:
    assert ask(served, "GET", "/healthz")[2] == b'{"status":"ready"}'


def test_metrics_have_the_original_names(served: Sandbox) -> None:
    predict(served, BODY)
    _, headers, page = ask(served, "GET", "/monitoring/prometheus/metrics")
    assert headers["content-type"].startswith("text/plain")
    lines = page.decode().splitlines()
    assert "# TYPE :tensorflow:serving:request_count counter" in lines
    for start in (
        ':tensorflow:serving:request_count{model_name="tiny",status="OK"} ',
        ':tensorflow:serving:request_latency_bucket{API="Predict",entrypoint="REST",le="18",model_name="tiny"} ',
        ':tensorflow:serving:request_latency_count{API="Predict",entrypoint="REST",model_name="tiny"} ',
        ':tensorflow:serving:runtime_latency_sum{API="Predict",model_name="tiny",runtime="TF2"} ',
        ':tensorflow:serving:request_example_count_total{model="tiny"} ',
    ):
        assert any(line.startswith(start) for line in lines), start


def test_one_reply_is_one_packet(served: Sandbox) -> None:
    where = urlsplit(served.url)
    request = f"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BODY)}\r\n\r\n".encode() + BODY
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        for _ in range(20):
            connection.sendall(request)
            first = connection.recv(65536)
            head, _, body = first.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            assert json.loads(body) == ANSWER


def test_a_large_batch(served: Sandbox) -> None:
    images = np.random.default_rng(1).random((5000, 2, 2, 1), dtype=np.float32)
    answers = served.client.predict(images)
    assert answers.shape == (5000, 4)
    np.testing.assert_allclose(answers.sum(1), 1, atol=1e-5)
    np.testing.assert_array_equal(answers[17:18], served.client.predict(images[17:18]))
