"""Keys and certificates, over HTTP and gRPC."""

from __future__ import annotations

import ssl
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.serve.client.scripted import reply, scripted
from tests.serve.grpc.certificates import Authority
from tests.serve.grpc.door import door
from tests.serve.oip.models import small_models
from workbench.core.errors import BadInputError, ServingError
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


@pytest.mark.parametrize(("form", "refusal"), [("grpc", "UNAUTHENTICATED"), ("http", "401")])
def test_who_is_refused_is_told_where_a_key_goes_and_gets_on_with_it(form: str, refusal: str) -> None:
    key = new_key()
    told = rf"answered {refusal}: [^;]*; give a key that may as `api_key=`, e\.g\. `client\(…, api_key=…\)`\.$"
    with ExitStack() as stack:
        if form == "grpc":
            guarded = stack.enter_context(door(small_models(), security=Security(api_keys={key.sha256: "predict"})))
            url = f"grpc://{guarded.address}"
        else:
            refused = reply(401, b'{"error": "An API key is needed"}')
            url = stack.enter_context(scripted(refused, reply(200, b'{"outputs": [[2, 4]]}'))).url
        nobody = stack.enter_context(client(url, "double"))
        with pytest.raises(ServingError, match=told):
            nobody.predict([[1, 2]])
        asking = stack.enter_context(nobody(api_key=key.key))
        assert asking.predict([[1, 2]]).tolist() == [[2, 4]]
        assert (asking.url, asking.model, key.key in repr(asking)) == (nobody.url, "double", False)


def test_another_client_keeps_what_is_not_given_anew(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca", "ca")
    mine = authority.issue("server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(mine.certificate, mine.key)
    with (
        scripted(reply(200, b'{"outputs": 1}'), tls=context) as server,
        client(f"https://localhost:{server.port}", ca=str(authority.file), retries=ONCE) as first,
        first(api_key="secret") as second,
    ):
        assert second.predict([1]) == 1
        assert b"authorization: bearer secret" in server.requests[0].lower()
        with pytest.raises(BadInputError, match="ca must be a PEM file"):
            second(ca="/gone.pem")


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


@pytest.mark.parametrize("form", ["", "+oip"])
def test_tls_on_one_side_only_is_said_in_one_sentence(form: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca", "ca")
    mine, ca = authority.issue("server"), str(authority.file)
    chain = {"certificate": str(mine.certificate), "private_key": str(mine.key)}

    def said(url: str, ca: str | None = None) -> str:
        with client(url, "double", ca=ca, retries=ONCE) as asking, pytest.raises(ServingError) as refused:
            asking.predict([[1, 2]])
        return str(refused.value)

    with door(small_models(), security=Security(**chain)) as server:
        port = server.address.rpartition(":")[2]
        plain, secure = f"grpc{form}://localhost:{port}", f"grpcs{form}://localhost:{port}"
        assert said(plain) == (
            f"{plain} does not answer (it closed the connection); where it speaks TLS,"
            f" ask grpcs{form}://host:port instead."
        )
        assert said(secure) == (
            f"{secure} does not answer (its certificate is not trusted: unable to get local issuer certificate);"
            " give the PEM file of those who signed it as `ca=`."
        )
        numbered = f"grpcs{form}://127.0.0.1:{port}"
        assert said(numbered, ca) == (
            f"{numbered} does not answer (its certificate is for another name); ask it by a name that its certificate"
            " has."
        )
    with door(small_models(), security=Security(**chain, client_ca=ca)) as server:
        assert "where it wants to see a certificate, give one as `certificate=` and `private_key=`." in said(
            f"grpcs{form}://localhost:{server.address.rpartition(':')[2]}", ca
        )
    with door(small_models()) as server:
        url = f"grpcs{form}://localhost:{server.address.rpartition(':')[2]}"
        assert said(url, ca) == (
            f"{url} does not answer (it does not speak TLS there); ask grpc{form}://host:port instead."
        )


def test_the_wrong_port_is_said_in_one_sentence(tmp_path: Path) -> None:
    mine = Authority(tmp_path / "ca", "ca").issue("server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(mine.certificate, mine.key)
    with scripted(reply(200), tls=context) as server:
        url = f"http://127.0.0.1:{server.port}"
        with (
            client(url, retries=ONCE) as asking,
            pytest.raises(ServingError, match=r"ask https://host:port instead\.$"),
        ):
            asking.predict([1])
    with scripted(reply(200)) as server:
        url = f"grpc://127.0.0.1:{server.port}"
        with (
            client(url, retries=ONCE) as asking,
            pytest.raises(ServingError, match=r"\(it does not speak gRPC there\)"),
        ):
            asking.predict([1])
    with door(small_models()) as server:
        url = f"http://{server.address}"
        with (
            client(url, retries=ONCE) as asking,
            pytest.raises(ServingError, match=r"\(it does not speak HTTP there\)"),
        ):
            asking.predict([1])


def test_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "serving"
    with door(small_models(), socket=str(path)), client(f"grpc+unix://{path}", "double") as asking:
        assert asking.predict([[1, 2]]).tolist() == [[2, 4]]
