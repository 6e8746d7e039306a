"""Files for batching, metrics and certificates."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from workbench.core.errors import BadInputError
from workbench.serve.batching import Batching
from workbench.serve.config.batching_parameters import ORIGINAL, read_batching
from workbench.serve.config.monitoring import Monitoring, read_monitoring
from workbench.serve.config.ssl_config import SslConfig, read_ssl
from workbench.serve.config.tokens import TextProtoError

if TYPE_CHECKING:
    from pathlib import Path


def test_batching_of_the_guide() -> None:
    text = """
    max_batch_size { value: 128 }
    batch_timeout_micros { value: 0 }
    max_enqueued_batches { value: 1000000 }
    num_batch_threads: { value: 8 }
    allowed_batch_sizes: 32 allowed_batch_sizes: [64, 128]
    thread_pool_name: { value: 'pool' }
    """
    found, ignored = read_batching(text)
    assert found == Batching(
        mode="on", max_batch_size=128, batch_timeout_micros=0, max_enqueued_batches=1_000_000, num_batch_threads=8,
        allowed_batch_sizes=(32, 64, 128),
    )  # fmt: skip
    assert ignored == ["thread_pool_name"]


def test_batching_left_out_is_the_originals() -> None:
    assert read_batching("") == (ORIGINAL, [])
    assert read_batching("batch_timeout_micros { value: 5 }")[0].batch_timeout_micros == 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("allowed_batch_sizes: 8",
         "Last entry in allowed_batch_sizes must match max_batch_size; last entry was 8; expected 1000"),
        ("max_batch_size { value: 8 } allowed_batch_sizes: [4, 4, 8]",
         "allowed_batch_sizes must be at least 1 and increase, got [4, 4, 8]."),
        ("max_batch_size { value: 8 } allowed_batch_sizes: [0, 8]",
         "allowed_batch_sizes must be at least 1 and increase, got [0, 8]."),
        ("max_batch_size { value: -1 }",
         "max_batch_size must be at least 1, got -1"),
        ("max_batch_size: 8", "line 1, column 17: max_batch_size must be a message in braces, got '8'."),
        ("max_batch { value: 8 }",
         'line 1, column 1: Message type "tensorflow.serving.BatchingParameters" has no field named "max_batch".'),
        ("max_batch_size { wert: 8 }",
         'line 1, column 18: Message type "google.protobuf.Int64Value" has no field named "wert".'),
    ],
)  # fmt: skip
def test_batching_that_cannot_be(text: str, words: str) -> None:
    with pytest.raises(BadInputError) as caught:
        read_batching(text)
    assert str(caught.value).startswith(words)


def test_monitoring() -> None:
    assert read_monitoring("") == Monitoring(enable=False)
    assert read_monitoring("prometheus_config { enable: true }") == Monitoring(
        enable=True, path="/monitoring/prometheus/metrics"
    )
    assert read_monitoring("prometheus_config: { enable: true, path: '/metrics' }").path == "/metrics"
    with pytest.raises(BadInputError, match="path must match"):
        read_monitoring("prometheus_config { path: 'metrics' }")
    with pytest.raises(TextProtoError, match='PrometheusConfig" has no field named "on"'):
        read_monitoring("prometheus_config { on: true }")


def test_certificates_are_written_for_this_user_only(tmp_path: Path) -> None:
    pem = r'server_key: "-----BEGIN\nK\n" server_cert: "C\n" custom_ca: "A\n" client_verify: true'
    security = read_ssl(pem).security(tmp_path / "keys")
    assert security.private_key is not None
    assert security.certificate is not None
    assert security.client_ca is not None
    for path, content in (
        (security.private_key, "-----BEGIN\nK\n"), (security.certificate, "C\n"), (security.client_ca, "A\n"),
    ):  # fmt: skip
        file = tmp_path / "keys" / path.rsplit("/", 1)[1]
        assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == (content, 0o600)


def test_certificates_of_clients_only_where_asked(tmp_path: Path) -> None:
    config = SslConfig(server_key="k", server_cert="c", custom_ca="a")
    assert config.security(tmp_path).client_ca is None
    assert "k" not in repr(config).replace("SslConfig", "").replace("server_key", "")


@pytest.mark.parametrize(
    "config",
    [SslConfig(), SslConfig(server_key="k"), SslConfig(server_key="k", server_cert="c", client_verify=True)],
)
def test_certificates_that_are_missing(tmp_path: Path, config: SslConfig) -> None:
    with pytest.raises(BadInputError, match="ssl_config_file must give"):
        config.security(tmp_path)
