"""Keys, roles and certificates by themselves; over the wire they are tested with the doors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workbench.core.errors import BadInputError
from workbench.serve.security import (
    Guard,
    Role,
    Security,
    find_key,
    grpc_credentials,
    new_key,
    require_guarded,
    role_of_path,
    role_of_rpc,
    ssl_context,
)
from workbench.serve.status import Code, RequestError

if TYPE_CHECKING:
    from pathlib import Path

READER, ADMIN = new_key(), new_key()
GUARD = Guard(Security(api_keys={READER.sha256: "predict", ADMIN.sha256.upper(): "admin"}))


def refused(role: Role, key: str | None) -> Code:
    with pytest.raises(RequestError) as refusal:
        GUARD.require(role, key)
    assert not key or key not in refusal.value.message
    return refusal.value.code


def test_a_key_passes_for_what_it_may_do() -> None:
    assert GUARD.require("predict", READER.key) == READER.sha256[:8]
    assert GUARD.require("predict", ADMIN.key) == GUARD.require("admin", ADMIN.key) == ADMIN.sha256[:8]
    assert refused("admin", READER.key) is Code.PERMISSION_DENIED


@pytest.mark.parametrize(
    "key",
    [None, "", "nonsense", READER.sha256, READER.key + " ", "\udcff\r\n", "ключ"],
    ids=["none", "empty", "nonsense", "its hash", "a blank too many", "no text", "not ASCII"],
)
def test_anything_else_is_no_key(key: str | None) -> None:
    assert refused("predict", key) is refused("admin", key) is Code.UNAUTHENTICATED


def test_without_keys_everyone_may_ask() -> None:
    guard = Guard(Security())
    assert not guard.active
    assert guard.require("admin", None) == ""


def test_keys_are_different_and_long() -> None:
    keys = {new_key().key for _ in range(100)}
    assert len(keys) == 100
    assert min(map(len, keys)) >= 43


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ([(b"authorization", b"Bearer abc")], "abc"),
        ([("authorization", "bEARER  abc ")], "abc"),
        ([(b"host", b"x"), (b"x-api-key", b"abc")], "abc"),
        ([("authorization", "Basic abc")], None),
        ([("authorization", "abc")], None),
        ([], None),
    ],
)
def test_where_a_key_is_found(headers: list[tuple[bytes | str, bytes | str]], key: str | None) -> None:
    assert find_key(headers) == key


@pytest.mark.parametrize(
    ("path", "role"),
    [
        *(("/healthz", None), ("/v2/health/live", None), ("/v2/health/ready", None)),
        *(("/v1/models/m", "predict"), ("/v1/models/m:predict", "predict"), ("/v2/models/m/infer", "predict")),
        *(("/monitoring/prometheus/metrics", "predict"), ("/HEALTHZ", "predict"), ("/v2/models/m/ready", "predict")),
        ("/v2/repository/index", "predict"),
        ("/v2/repository/models/m/load", "admin"),
        ("/v2/repository/models/index", "admin"),
        ("/V2/%72epository/models/m/unload", "admin"),
        ("/v2/repository/index/../models/m/load", "admin"),
    ],
)
def test_role_of_a_path(path: str, role: Role | None) -> None:
    assert role_of_path(path) == role


@pytest.mark.parametrize(
    ("method", "role"),
    [
        ("/grpc.health.v1.Health/Check", None),
        ("/inference.GRPCInferenceService/ServerLive", None),
        ("/tensorflow.serving.PredictionService/Predict", "predict"),
        ("/tensorflow.serving.ModelService/GetModelStatus", "predict"),
        ("/tensorflow.serving.ModelService/HandleReloadConfigRequest", "admin"),
        ("/inference.GRPCInferenceService/RepositoryModelUnload", "admin"),
        ("/somebody.Else/Anything", "admin"),
    ],
)
def test_role_of_an_rpc(method: str, role: Role | None) -> None:
    assert role_of_rpc(method) == role


def test_settings_keep_hashes_only() -> None:
    for given in ({READER.key: "predict"}, {READER.key: "anything"}, {"predict": READER.key}, [READER.key], READER.key):
        with pytest.raises(BadInputError, match=r"must name keys by their SHA-256 .*`workbench key`") as refusal:
            Security(api_keys=given)
        assert READER.key[:12] not in str(refusal.value)


@pytest.mark.parametrize(
    "values", [{"certificate": "c"}, {"private_key": "k"}, {"client_ca": "ca"}], ids=lambda values: next(iter(values))
)
def test_settings_are_whole(values: dict[str, str]) -> None:
    with pytest.raises(BadInputError, match="must have a certificate"):
        Security(**values)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.9", "::1", "localhost"])
def test_loopback_needs_no_key(host: str) -> None:
    require_guarded(host, Security())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "", "example.org", "127.0.0.1.example.org"])
def test_a_wider_address_needs_a_key(host: str) -> None:
    with pytest.raises(BadInputError, match=r"^host must be 127\.0\.0\.1, .* make a key with `new_key\(\)`"):
        require_guarded(host, Security())
    require_guarded(host, Security(api_keys={READER.sha256: "predict"}))


def test_no_certificate_no_tls() -> None:
    assert ssl_context(Security()) is None
    assert grpc_credentials(Security()) is None


def test_a_bad_certificate_is_said_at_once(tmp_path: Path) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    for path in (bad, tmp_path / "missing.pem"):
        with pytest.raises(BadInputError, match="certificate must be a readable PEM file"):
            ssl_context(Security(certificate=str(path), private_key=str(path)))
