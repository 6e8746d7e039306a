"""Keys and certificates, over HTTP and gRPC."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from tests.serve.client.scripted import reply, scripted
from tests.serve.grpc.certificates import Authority
from tests.serve.grpc.door import door
from tests.serve.oip.models import small_models
from workbench.core.errors import ServingError
from workbench.serve.client import Retries, client
from workbench.serve.security import Security, new_key

if TYPE_CHECKING:
    from pathlib import Path

ONCE = Retries(attempts=1)


def test_a_key_is_sent_over_http() -> None:
    with scripted(reply(200, b'{"outputs": 1}')) as server, client(server.url, api_key="secret") as asking:
        asking.predict([1])
        assert b"authorization: bearer secret" in server.requests[0].lower()
        assert "secret" not in repr(asking)


def test_a_key_is_sent_over_grpc() -> None:
    key = new_key()
    with door(small_models(), security=Security(api_keys={key.sha256: "predict"})) as server:
        url = f"grpc://{server.address}"
        with client(url, "double", api_key=key.key) as asking:
            assert asking.predict([[1, 2]]).tolist() == [[2, 4]]
        with client(url, "double") as nobody, pytest.raises(ServingError, match="answered UNAUTHENTICATED"):
            nobody.predict([[1, 2]])


def test_mutual_tls_over_http(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca", "ca")
    mine, theirs = authority.issue("server"), authority.issue("client")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(mine.certificate, mine.key)
    context.load_verify_locations(authority.file)
    context.verify_mode = ssl.CERT_REQUIRED
    with scripted(reply(200, b'{"outputs": 1}'), tls=context) as server:
        url, ca = f"https://localhost:{server.port}", str(authority.file)
        certificate, key = str(theirs.certificate), str(theirs.key)
        with client(url, ca=ca, certificate=certificate, private_key=key) as asking:
            assert asking.predict([1]) == 1
        with client(url, ca=ca, retries=ONCE) as nobody, pytest.raises(ServingError, match="does not answer"):
            nobody.predict([1])
        with client(url, retries=ONCE) as doubting, pytest.raises(ServingError, match="self-signed certificate"):
            doubting.predict([1])


def test_mutual_tls_over_grpc(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca", "ca")
    mine, theirs = authority.issue("server"), authority.issue("client")
    security = Security(certificate=str(mine.certificate), private_key=str(mine.key), client_ca=str(authority.file))
    with door(small_models(), security=security) as server:
        url, ca = f"grpcs://localhost:{server.address.rpartition(':')[2]}", str(authority.file)
        certificate, key = str(theirs.certificate), str(theirs.key)
        with client(url, "double", ca=ca, certificate=certificate, private_key=key) as asking:
            assert asking.predict([[1, 2]]).tolist() == [[2, 4]]
        with client(url, "double", ca=ca, retries=ONCE) as nobody, pytest.raises(ServingError):
            nobody.predict([[1, 2]])


def test_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "serving"
    with door(small_models(), socket=str(path)), client(f"grpc+unix://{path}", "double") as asking:
        assert asking.predict([[1, 2]]).tolist() == [[2, 4]]
