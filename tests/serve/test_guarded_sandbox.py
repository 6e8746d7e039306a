"""Keys and certificates on every port of a real server, and what its errors never say."""

from __future__ import annotations

import json
import os
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pytest

from tests.serve.grpc.certificates import Authority
from workbench.core.errors import BadInputError, ServingError
from workbench.serve.client import client
from workbench.serve.sandbox import Sandbox, running, serve
from workbench.serve.security import Security, new_key
from workbench.serve.settings import ServeSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serve.grpc.certificates import Pair
    from workbench.core.artifact import Artifact
    from workbench.core.workspace import Workspace

IMAGES = np.zeros((1, 2, 2, 1), np.float32)
READER, ADMIN = new_key(), new_key()


@dataclass
class Fortress:
    """A server that asks for a certificate and a key on every port."""

    sandbox: Sandbox
    authority: Authority
    friend: Pair

    @property
    def faces(self) -> list[str]:
        """All protocols of all ports."""
        rest, rpc = self.sandbox.url.replace("127.0.0.1", "localhost"), self.sandbox.grpc.rpartition(":")[2]
        alone = self.sandbox.v2_url.replace("127.0.0.1", "localhost")
        return [rest, f"{rest}/v2", f"grpcs://localhost:{rpc}", f"grpcs+oip://localhost:{rpc}", alone]

    def predict(self, face: str, key: str | None = READER.key, *, certified: bool = True) -> Any:
        """Ask over one protocol."""
        own = {"certificate": str(self.friend.certificate), "private_key": str(self.friend.key)} if certified else {}
        asker = client(face, "tiny", api_key=key, ca=str(self.authority.file), timeout=5, **own)
        try:
            return asker.predict(IMAGES)
        finally:
            asker.close()

    def ask(self, method: str, path: str, key: str = "", data: bytes | None = None) -> tuple[int, bytes]:
        """Ask the REST port."""
        context = ssl.create_default_context(cafile=self.authority.file)
        context.load_cert_chain(self.friend.certificate, self.friend.key)
        url = self.sandbox.url.replace("127.0.0.1", "localhost") + path
        request = urllib.request.Request(url, data, {"x-api-key": key} if key else {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=5, context=context) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def reload(self, key: str) -> grpc.StatusCode:
        """Ask for another configuration over gRPC."""
        credentials = grpc.ssl_channel_credentials(
            self.authority.file.read_bytes(), self.friend.key.read_bytes(), self.friend.certificate.read_bytes()
        )
        with grpc.secure_channel(f"localhost:{self.sandbox.grpc.rpartition(':')[2]}", credentials) as channel:
            call = channel.unary_unary("/tensorflow.serving.ModelService/HandleReloadConfigRequest").future(
                b"", metadata=[("x-api-key", key)], timeout=5
            )
            found: grpc.StatusCode = call.code()
            return found


@pytest.fixture(scope="module")
def fortress(
    tiny_onnx: Artifact, serve_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fortress]:
    authority = Authority(tmp_path_factory.mktemp("ca") / "ca", "ca")
    server = authority.issue("server")
    security = Security(
        api_keys={READER.sha256: "predict", ADMIN.sha256: "admin"},
        certificate=str(server.certificate), private_key=str(server.key), client_ca=str(authority.file),
    )  # fmt: skip
    with serve(tiny_onnx, "tiny", workspace=serve_workspace, workers=1, oip_port=0, security=security) as sandbox:
        yield Fortress(sandbox, authority, authority.issue("friend"))


@pytest.mark.parametrize("face", range(5), ids=["rest", "v2", "grpc", "grpc v2", "oip port"])
def test_every_port_asks_for_both(fortress: Fortress, face: int) -> None:
    where = fortress.faces[face]
    for key in (READER.key, ADMIN.key):
        np.testing.assert_allclose(fortress.predict(where, key), 0.25)
    for key in (None, "nonsense"):
        with pytest.raises(ServingError, match=r"API key|401|UNAUTHENTICATED"):
            fortress.predict(where, key)
    with pytest.raises(ServingError):
        fortress.predict(where, certified=False)


def test_the_handles_own_client_takes_a_key(tiny_onnx: Artifact, serve_workspace: Workspace) -> None:
    security = Security(api_keys={READER.sha256: "predict"})
    with serve(tiny_onnx, "keyed", workspace=serve_workspace, workers=1, security=security) as sandbox:
        with pytest.raises(ServingError, match=r"answered 401: .*; give a key that may as `api_key=`"):
            sandbox.client.predict(IMAGES)
        with sandbox.client(api_key=READER.key) as asker:
            np.testing.assert_allclose(asker.predict(IMAGES), 0.25)


def test_only_admins_change_the_server_and_it_is_noted(fortress: Fortress) -> None:
    assert fortress.ask("POST", "/v2/repository/models/tiny/load", READER.key, b"{}")[0] == 403
    assert fortress.reload(READER.key) is grpc.StatusCode.PERMISSION_DENIED
    assert not (fortress.sandbox.folder / "audit.jsonl").exists()
    assert fortress.ask("POST", "/v2/repository/models/tiny/load", ADMIN.key, b"{}")[0] == 200
    assert fortress.ask("POST", "/v2/repository/models/a%0d%0ab/load", ADMIN.key, b"{}")[0] in (400, 404)
    raw = (fortress.sandbox.folder / "audit.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in raw.splitlines()]
    assert [(each["action"], each["outcome"], each["key"]) for each in lines][:1] == [("load", "OK", ADMIN.sha256[:8])]
    assert lines[0]["peer"].startswith("127.0.0.1:")
    assert ADMIN.key not in raw


def test_errors_never_name_a_place(fortress: Fortress) -> None:
    folder = fortress.sandbox.folder
    secrets = (str(folder.parents[1]), folder.name, "Traceback", ".py", "/tmp", "/root", ADMIN.key, READER.key)
    asked: list[tuple[str, str, bytes | None]] = [
        *(("GET", "/v1/models/none", None), ("POST", "/v1/models/tiny:predict", b"{")),
        *(("POST", "/v1/models/tiny/versions/99:predict", b"{}"), ("GET", "/v2/models/none", None)),
        *(("POST", "/v2/models/tiny/infer", b"[]"), ("POST", "/v2/repository/models/none/load", b"{}")),
        *(("POST", "/v2/repository/models/..%2f..%2fetc/load", b"{}"), ("GET", "/etc/passwd", None)),
    ]
    for method, path, data in asked:
        status, reply = fortress.ask(method, path, ADMIN.key, data)
        assert 400 <= status < 500
        assert not [secret for secret in secrets if secret.encode() in reply], (path, reply)


def test_a_wider_address_is_refused_without_keys() -> None:
    for host in ("0.0.0.0", "::", "192.0.2.7"):
        with pytest.raises(BadInputError, match=r"^host must be 127\.0\.0\.1, ::1 or localhost"):
            ServeSettings(host=host)
        assert ServeSettings(host=host, security=Security(api_keys={READER.sha256: "predict"})).host == host


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (
            {"security": Security(certificate="/gone/chain.pem", private_key="/gone/key.pem")},
            r"no worker can listen: certificate must be a readable PEM file that fits \(No such file or directory\)",
        ),
        (
            {"grpc_socket": "/gone/grpc.sock"},
            "no worker can listen: gRPC cannot listen on unix:/gone/grpc.sock; its fol",
        ),
    ],
    ids=["certificate", "socket"],
)
def test_doors_that_cannot_open_are_told_and_nothing_is_left(
    settings: dict[str, Any], why: str, tiny_onnx: Artifact, serve_workspace: Workspace
) -> None:
    with pytest.raises(ServingError, match=why):
        serve(tiny_onnx, "closed", workspace=serve_workspace, workers=2, **settings)
    assert "closed" not in running(serve_workspace).values()


def test_certificates_are_found_from_the_folder_of_who_asks(
    fortress: Fortress, tiny_onnx: Artifact, serve_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = fortress.sandbox.settings.security
    assert own.certificate is not None
    assert own.private_key is not None
    monkeypatch.chdir(Path(own.certificate).parent)
    security = Security(certificate=Path(own.certificate).name, private_key=os.path.relpath(own.private_key))
    with serve(tiny_onnx, "near", workspace=serve_workspace, workers=1, security=security) as sandbox:
        url = sandbox.url.replace("127.0.0.1", "localhost")
        with client(url, "near", ca=str(fortress.authority.file)) as asker:
            assert asker.predict(IMAGES).shape == (1, 4)
