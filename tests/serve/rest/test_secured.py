"""Keys, certificates, and what never leaves the server, over REST and the protocols beside it."""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from tests.serve.grpc.certificates import Authority
from workbench.serve.security import Security, new_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.serve.grpc.certificates import Pair

PATH = "/v1/models/gate:predict"
BODY = b'{"instances": [[1, 2]]}'
INFER = b'{"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]}'
READER, ADMIN = new_key(), new_key()
KEYS = Security(api_keys={READER.sha256: "predict", ADMIN.sha256: "admin"})

READ = [
    *(("POST", PATH, BODY), ("GET", "/v1/models/gate", b""), ("GET", "/v1/models/gate/metadata", b"")),
    *(("GET", "/V1/MODELS/gate", b""), ("GET", "/v2", b""), ("GET", "/v2/models/gate", b"")),
    *(("GET", "/v2/models/gate/ready", b""), ("POST", "/v2/models/gate/infer", INFER)),
    *(("POST", "/v2/repository/index", b"{}"), ("GET", "/monitoring/prometheus/metrics", b"")),
    *(("GET", "/monitoring/stats", b""), ("GET", "/elsewhere", b""), ("DELETE", "/v1/models/gate", b"")),
]
CHANGE = [
    ("POST", "/v2/repository/models/gate/load", b"{}"),
    ("POST", "/v2/repository/models/gate/unload", b"{}"),
    ("POST", "/v2/%72epository/models/gate/unload", b"{}"),
    ("POST", "/v2/repository//models/gate/load", b"{}"),
]


def name_of(case: Any) -> str:
    return case if isinstance(case, str) else ""


@pytest.fixture(scope="module")
def guarded(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue("keyed_port")(KEYS)


@pytest.mark.parametrize(("method", "path", "body"), READ + CHANGE, ids=name_of)
def test_without_a_key_nothing_is_answered(guarded: Any, method: str, path: str, body: bytes) -> None:
    runs = guarded.gate.runs
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": READER.key}, {"X_API_Key": "\xff"}):
        status, received, reply = guarded.ask(method, path, body, **headers)
        assert (status, received["www-authenticate"]) == (401, 'Bearer realm="serving"')
        assert reply.startswith(b'{"error": "')
        assert b"gate" not in reply
    assert guarded.gate.runs == runs


@pytest.mark.parametrize(("method", "path", "body"), READ, ids=name_of)
def test_a_key_that_may_predict(guarded: Any, method: str, path: str, body: bytes) -> None:
    expected = {"/elsewhere": 404}.get(path, 400 if method == "DELETE" else 200)
    for headers in ({"Authorization": f"Bearer {READER.key}"}, {"X_API_Key": ADMIN.key}):
        assert guarded.ask(method, path, body, **headers)[0] == expected


@pytest.mark.parametrize(("method", "path", "body"), CHANGE, ids=name_of)
def test_only_admins_change_the_server(guarded: Any, method: str, path: str, body: bytes) -> None:
    status, headers, reply = guarded.ask(method, path, body, Authorization=f"Bearer {READER.key}")
    assert (status, reply) == (403, b'{"error": "The API key may predict but not administer"}')
    assert headers["www-authenticate"] == 'Bearer realm="serving", error="insufficient_scope"'
    # The server of these tests has nothing that could be changed, or no such path.
    assert guarded.ask(method, path, body, X_API_Key=ADMIN.key)[0] in (501, 404, 400)


@pytest.mark.parametrize("path", ["/healthz", "/v2/health/live", "/v2/health/ready"])
def test_health_is_open(guarded: Any, path: str) -> None:
    assert guarded.ask("GET", path)[0] == 200


def test_browsers_may_ask_for_leave_without_a_key(open_port: Callable[..., Any]) -> None:
    status, headers, _ = open_port(security=KEYS, cors=True).ask("OPTIONS", PATH, Origin="https://a.example")
    assert status == 200
    assert headers["access-control-allow-headers"] == "Content-Type, Authorization, X-API-Key"


def test_who_has_no_key_uploads_nothing(guarded: Any) -> None:
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n".encode()
    received = guarded.raw(head + b" " * 1000, eof=True)
    assert received.startswith(b"HTTP/1.1 401 ")


# Certificates.


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca", "ca")


def files(pair: Pair) -> tuple[str, str]:
    return str(pair.certificate), str(pair.key)


def trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority.file)


def test_tls(open_port: Callable[..., Any], authority: Authority) -> None:
    chain, key = files(authority.issue("server"))
    port = open_port({"header_seconds": 1}, Security(certificate=chain, private_key=key))
    for _ in range(2):
        assert port.ask("POST", PATH, BODY, tls=trusting(authority))[0] == 200
    with pytest.raises(ssl.SSLCertVerificationError):
        port.connect(ssl.create_default_context())
    # Plain HTTP on this port is no request, and harms nobody.
    assert b"HTTP" not in port.raw(f"GET {PATH} HTTP/1.1\r\n\r\n".encode())
    with port.connect(trusting(authority)) as connection:
        assert connection.version() in ("TLSv1.2", "TLSv1.3")
        assert connection.selected_alpn_protocol() is None
        connection.sendall(b"GET /v1/models/gate HTTP/1.1\r\nX: ")  # a stalled head is 408 here too
        assert connection.recv(4096).startswith(b"HTTP/1.1 408 ")
    old = trusting(authority)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, OSError)):
        port.connect(old)


def test_tls_refuses_what_is_too_large(open_port: Callable[..., Any], authority: Authority) -> None:
    chain, key = files(authority.issue("server"))
    port = open_port({"body_bytes": 2048}, Security(certificate=chain, private_key=key))
    assert port.ask("POST", PATH, b" " * 5000, tls=trusting(authority))[0] == 413
    assert port.ask("POST", PATH, BODY, tls=trusting(authority))[0] == 200


def test_clients_show_a_certificate(open_port: Callable[..., Any], authority: Authority, tmp_path: Path) -> None:
    chain, key = files(authority.issue("server"))
    port = open_port(security=Security(certificate=chain, private_key=key, client_ca=str(authority.file)))
    friend = trusting(authority)
    friend.load_cert_chain(*files(authority.issue("friend")))
    assert port.ask("POST", PATH, BODY, tls=friend)[0] == 200
    stranger = trusting(authority)
    stranger.load_cert_chain(*files(Authority(tmp_path / "other", "other").issue("stranger")))
    for refused in (trusting(authority), stranger):
        answer = b""
        with contextlib.suppress(OSError):  # in TLS 1.3 a client learns of it when it reads
            answer = port.raw(f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), tls=refused)
        assert answer == b""


# What never leaves the server.


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        *(("GET", "/", b""), ("GET", "/v1/models/none", b""), ("GET", "/v2/models/none", b""), ("POST", PATH, b"{")),
        *(
            ("POST", "/v1/models/none:predict", b"{}"),
            ("POST", "/v2/models/none/infer", b"{}"),
            ("POST", PATH, b"\xff"),
        ),
        *(("POST", "/v2/models/gate/infer", b"{"), ("POST", PATH, b'{"instances": [[1, "2"]]}')),
        *(("POST", "/v2/repository/models/../load", b"{}"), ("POST", PATH, b'{"instances": [[1]]}')),
        *(("GET", "/v1/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd", b""), ("GET", "/v1/models/a%0d%0aX:%20y", b"")),
    ],
    ids=name_of,
)
def test_errors_say_nothing_of_the_server(port: Any, method: str, path: str, body: bytes) -> None:
    status, headers, reply = port.ask(method, path, body)
    assert 400 <= status < 500 or status == 501
    assert not {"server", "x-powered-by", "x"} & headers.keys()
    for secret in (
        b"Traceback",
        b'File "',
        b".py",
        b"site-packages",
        b"workbench",
        b"uvicorn",
        b"/root",
        b"/home",
        b"/tmp",
    ):
        assert secret not in reply


def test_an_unforeseen_error_is_500_and_no_more(port: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.serve.rest import app

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(2, "No such file", "/secret/place")

    monkeypatch.setattr(app, "preflight", fail)
    status, _, reply = port.ask("OPTIONS", PATH)
    assert (status, reply) == (500, b'{"error": "Internal error; the server\'s log says more"}')
    monkeypatch.undo()
    assert port.predict()[0] == 200
