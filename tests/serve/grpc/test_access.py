"""Who may ask over gRPC, and over what: keys, TLS, mutual TLS, Unix sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pytest

from tests.serve.grpc.certificates import Authority, Pair
from tests.serve.grpc.door import MODEL, PREDICTION, Door, Refused, door, predict_request
from tests.serve.grpc.models import Gate, small_models
from workbench.core.errors import BadInputError
from workbench.serve.control import NoControl, Reload
from workbench.serve.grpc.messages import message
from workbench.serve.grpc.server import channel_arguments
from workbench.serve.security.guard import caller, new_key
from workbench.serve.security.settings import Security

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from workbench.serve.config.model_config import ModelConfig

READER, ADMIN = new_key(), new_key()
X = np.ones((1, 2), np.float32)
HEALTH = "grpc.health.v1.Health"


class Asked(NoControl):
    """Keeps whose key a reload came with."""

    key_id = ""

    async def reload(self, configs: Sequence[ModelConfig]) -> Reload:
        del configs
        self.key_id = caller().key_id
        return Reload()


@pytest.fixture(scope="module")
def control() -> Asked:
    return Asked()


@pytest.fixture(scope="module")
def guarded(gate: Gate, control: Asked) -> Iterator[Door]:
    security = Security(api_keys={READER.sha256: "predict", ADMIN.sha256: "admin"})
    with door(small_models(gate), control=control, security=security, health=True) as client:
        yield client


def bearer(key: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {key}"),)


def reload(client: Door, **options: Any) -> Any:
    request = message("tensorflow.serving.ReloadConfigRequest")()
    request.config.model_config_list.SetInParent()
    return client.ask(MODEL, "HandleReloadConfigRequest", request, "ReloadConfigResponse", **options)


@pytest.mark.parametrize("metadata", [bearer(READER.key), bearer(ADMIN.key), (("x-api-key", READER.key),)])
def test_a_key_may_predict(guarded: Door, metadata: Any) -> None:
    assert guarded.predict(predict_request("double", x=X), metadata=metadata)


@pytest.mark.parametrize("metadata", [(), bearer("nonsense"), bearer(READER.sha256), (("x-api-key", ""),)])
def test_nobody_else_may(guarded: Door, metadata: Any) -> None:
    with pytest.raises(Refused) as refused:
        guarded.predict(predict_request("double", x=X), metadata=metadata)
    assert refused.value.code == "UNAUTHENTICATED"


def test_administration_needs_a_key_of_its_own(guarded: Door, control: Asked) -> None:
    with pytest.raises(Refused) as refused:
        reload(guarded, metadata=bearer(READER.key))
    assert refused.value.code == "PERMISSION_DENIED"
    reload(guarded, metadata=bearer(ADMIN.key))
    assert control.key_id == ADMIN.sha256[:8]


@pytest.mark.parametrize("method", [f"{PREDICTION}/Divine", "some.Service/Method"])
def test_a_stranger_does_not_learn_what_there_is(guarded: Door, method: str) -> None:
    with pytest.raises(Refused) as refused:
        guarded.raw(method, b"")
    assert refused.value.code == "UNAUTHENTICATED"


def test_health_is_open(guarded: Door) -> None:
    assert guarded.raw(f"{HEALTH}/Check", b"")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "ours")


@pytest.fixture(scope="module")
def server_pair(authority: Authority) -> Pair:
    return authority.issue("server")


def client_credentials(authority: Authority, pair: Pair | None = None) -> grpc.ChannelCredentials:
    chain = None if pair is None else pair.certificate.read_bytes()
    key = None if pair is None else pair.key.read_bytes()
    return grpc.ssl_channel_credentials(authority.file.read_bytes(), key, chain)


def test_tls(gate: Gate, authority: Authority, server_pair: Pair) -> None:
    security = Security(certificate=str(server_pair.certificate), private_key=str(server_pair.key))
    with door(small_models(gate), security=security, credentials=client_credentials(authority)) as client:
        assert client.predict(predict_request("double", x=X))
        port = client.address.rpartition(":")[2]
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel, pytest.raises(Refused) as refused:
            Door(channel, client.address, client.counters).predict(predict_request("double", x=X))
        assert refused.value.code == "UNAVAILABLE"
        assert client.predict(predict_request("double", x=X))


def test_mutual_tls(gate: Gate, authority: Authority, server_pair: Pair, tmp_path: Path) -> None:
    security = Security(
        certificate=str(server_pair.certificate), private_key=str(server_pair.key), client_ca=str(authority.file)
    )
    known, stranger = authority.issue("client"), Authority(tmp_path / "theirs", "theirs").issue("client")
    with door(small_models(gate), security=security, credentials=client_credentials(authority, known)) as client:
        assert client.predict(predict_request("double", x=X))
        for pair in (None, stranger):
            with (
                grpc.secure_channel(
                    f"localhost:{client.address.rpartition(':')[2]}", client_credentials(authority, pair)
                ) as channel,
                pytest.raises(Refused) as refused,
            ):
                Door(channel, client.address, client.counters).predict(predict_request("double", x=X))
            assert refused.value.code == "UNAVAILABLE"


def test_a_certificate_that_is_none(gate: Gate, tmp_path: Path) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("nothing")
    with (
        pytest.raises(BadInputError, match="certificate must be a readable PEM file"),
        door(small_models(gate), security=Security(certificate=str(bad), private_key=str(bad))),
    ):
        pass


def test_a_unix_socket(gate: Gate, tmp_path: Path) -> None:
    with door(small_models(gate), socket=str(tmp_path / "s")) as client:
        assert client.predict(predict_request("double", x=X)).model_spec.version.value == 7


def test_channel_arguments() -> None:
    assert channel_arguments("grpc.max_concurrent_streams=3, a=b=c,,") == (
        ("grpc.max_concurrent_streams", 3),
        ("a", "b=c"),
    )
    assert channel_arguments("") == ()


def test_channel_arguments_go_before_ours(gate: Gate) -> None:
    small = (("grpc.max_receive_message_length", 200),)
    with door(small_models(gate), channel_arguments=small) as client:
        assert client.predict(predict_request("double", x=X))
        with pytest.raises(Refused) as refused:
            client.predict(predict_request("any", x=np.ones((10, 10), np.float32)))
        assert refused.value.code == "RESOURCE_EXHAUSTED"
