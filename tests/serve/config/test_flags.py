"""The command line: the original's flags in all their spellings, and what a server is told of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from workbench.core.errors import BadInputError
from workbench.serve.batching import Batching
from workbench.serve.config.batching_parameters import ORIGINAL
from workbench.serve.config.flags import FlagError, Flags, read_flags, usage
from workbench.serve.config.launch import Launch, StartError, launch_of
from workbench.serve.config.model_config import ModelConfig
from workbench.serve.security import new_key

if TYPE_CHECKING:
    from pathlib import Path


def read(*arguments: str) -> dict[str, Any]:
    return read_flags(arguments)[0].model_dump(exclude_defaults=True)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((), {}),
        (("--port=9000", "--rest_api_port", "9001"), {"port": 9000, "rest_api_port": 9001}),
        (("--enable_batching",), {"enable_batching": True}),
        (("--enable_batching", "--model_name=m"), {"enable_batching": True, "model_name": "m"}),
        (("--enable_batching", "true", "--model_name", "m"), {"enable_batching": True, "model_name": "m"}),
        (("--enable_batching=True",), {"enable_batching": True}),
        (("--enable_batching=false",), {}),
        (("--enable_batching", "0"), {}),
        (("--model_name=a=b",), {"model_name": "a=b"}),
        (("--model_base_path=",), {}),
        (("--port=1", "--port=2"), {"port": 2}),
        (("--file_system_poll_wait_seconds=-1",), {"file_system_poll_wait_seconds": -1}),
    ],
)
def test_spellings(arguments: tuple[str, ...], found: dict[str, Any]) -> None:
    assert read(*arguments) == found


def test_what_has_no_effect_is_told() -> None:
    line = "--flush_filesystem_caches --num_load_threads=4 --saved_model_tags serve --xla_cpu_compilation_enabled"
    flags, ignored = read_flags([*line.split(), "--per_process_gpu_memory_fraction=0.5", "--port=1"])
    assert ignored == (
        "flush_filesystem_caches", "num_load_threads", "saved_model_tags", "xla_cpu_compilation_enabled",
        "per_process_gpu_memory_fraction",
    )  # fmt: skip
    assert flags == Flags(port=1)


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("--prot=1", "unknown argument: --prot=1"),
        ("--prot", "unknown argument: --prot"),
        ("serve", "unknown argument: serve"),
        ("-port=1", "unknown argument: -port=1"),
        ("--=1", "unknown argument: --=1"),
        ("--port=many", "--port must be a number, got 'many'."),
        ("--port", "--port must have a value; write --port=VALUE."),
        ("--enable_batching=maybe", "--enable_batching must be true or false, got 'maybe'."),
        ("--num_load_threads=x", "--num_load_threads must be a number, got 'x'."),
    ],
)
def test_nonsense(argument: str, words: str) -> None:
    with pytest.raises(FlagError) as caught:
        read_flags([argument])
    assert str(caught.value) == words


def test_out_of_bounds_is_one_sentence() -> None:
    with pytest.raises(BadInputError, match="port must be at most 65535, got 65536"):
        read_flags(["--port=65536"])


def test_usage_lists_every_flag() -> None:
    text = usage("server")
    assert all(f"--{name}" in text for name in (*Flags.model_fields, "num_load_threads"))


def launch(folder: Path, **flags: Any) -> Launch:
    return launch_of(Flags(**flags), folder)


def test_one_model_as_the_original_serves_it(tmp_path: Path) -> None:
    found = launch(tmp_path, model_name="m", model_base_path="/models/m", rest_api_port=8501)
    assert found.configs() == (ModelConfig(name="m", base_path="/models/m"),)
    asked = found.settings
    assert (asked.port, asked.grpc_port, asked.grpc_socket, asked.oip_port) == (8501, 8500, None, None)
    assert (asked.poll_seconds, asked.max_load_retries, asked.load_retry_seconds) == (1, 5, 60)
    assert (asked.label_rule, asked.foreign, asked.trust, asked.cors) == ("available", True, False, False)
    assert (asked.batching, asked.limits.request_seconds, asked.threads) == (Batching(), 30, 1)
    assert (found.file, found.file_seconds, found.notes) == (None, 0, ())


def test_all_that_can_be_told(tmp_path: Path) -> None:
    (tmp_path / "models").write_text(
        "model_config_list { config { name: 'a' base_path: '/a' model_platform: 'tensorflow' } }"
    )
    (tmp_path / "batching").write_text("max_batch_size { value: 16 } thread_pool_name { value: 'x' }")
    (tmp_path / "monitoring").write_text("prometheus_config { enable: true path: '/metrics' }")
    key = new_key()
    (tmp_path / "keys").write_text(json.dumps({key.sha256: "admin"}))
    found = launch(
        tmp_path,
        port=0, grpc_socket_path="/tmp/socket", rest_api_timeout_in_ms=500, rest_api_enable_cors_support=True,
        model_config_file=str(tmp_path / "models"), model_config_file_poll_wait_seconds=3, model_name="ignored",
        file_system_poll_wait_seconds=-1, max_num_load_retries=1000, load_retry_interval_micros=-5,
        allow_version_labels_for_unavailable_models=True, enable_batching=True,
        batching_parameters_file=str(tmp_path / "batching"), monitoring_config_file=str(tmp_path / "monitoring"),
        tensorflow_session_parallelism=2, tensorflow_intra_op_parallelism=3,
        host="0.0.0.0", api_keys_file=str(tmp_path / "keys"), oip_port=8080, workers=3, trust=True,
    )  # fmt: skip
    asked = found.settings
    assert [one.name for one in found.configs()] == ["a"]
    assert (found.file_seconds, asked.name, asked.grpc_port, asked.grpc_socket) == (3, "a", None, "/tmp/socket")
    assert (asked.limits.request_seconds, asked.cors, asked.poll_seconds, asked.threads) == (0.5, True, 0, 3)
    assert (asked.max_load_retries, asked.load_retry_seconds, asked.label_rule) == (100, 0, "new")
    assert (asked.batching.mode, asked.batching.max_batch_size) == ("on", 16)
    assert (asked.host, asked.security.api_keys, asked.oip_port) == ("0.0.0.0", {key.sha256: "admin"}, 8080)
    assert (asked.workers, asked.trust, asked.metrics_path) == (3, True, "/metrics")
    assert found.notes == (
        "no rest_api_port was given; REST is on a free port of this machine",
        "thread_pool_name of batching has no effect",
    )


def test_batching_alone_is_the_originals(tmp_path: Path) -> None:
    assert launch(tmp_path, model_base_path="/m", enable_batching=True).settings.batching == ORIGINAL


def test_certificates(tmp_path: Path) -> None:
    (tmp_path / "ssl").write_text(r'server_key: "KEY\n" server_cert: "CERT\n"')
    found = launch(tmp_path / "safe", model_base_path="/m", rest_api_port=1, ssl_config_file=str(tmp_path / "ssl"))
    assert found.settings.security.private_key == str(tmp_path / "safe" / "private_key.pem")
    assert found.notes == ("certificates hold for REST too, not for gRPC alone",)


def test_the_config_file_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "models"
    text = "model_config_list {{ config {{ name: '{}' base_path: '/a' model_platform: 'tensorflow' }} }}"
    file.write_text(text.format("a"))
    found = launch(tmp_path, model_config_file=str(file))
    file.write_text(text.format("b"))
    assert [one.name for one in found.configs()] == ["b"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({}, "INVALID_ARGUMENT: Both server_options.model_base_path and server_options.model_config_file are empty!"),
        ({"port": 0, "model_base_path": "/m"}, "INVALID_ARGUMENT: server_options.grpc_port is not set."),
        ({"model_base_path": "m"},
         "INVALID_ARGUMENT: Expected model default to have an absolute path or URI; got base_path()=m"),
        ({"model_base_path": "/m", "batching_parameters_file": "/x"},
         "INVALID_ARGUMENT: server_options.batching_parameters_file is set without setting server_options."),
        ({"model_config_file": "/no/such"}, "NOT_FOUND: /no/such; No such file or directory"),
        ({"model_base_path": "/m", "model_name": "a/b"}, "INVALID_ARGUMENT: name must match pattern"),
        ({"model_base_path": "/m", "host": "0.0.0.0"}, "INVALID_ARGUMENT: host must be"),
        ({"model_base_path": "/m", "api_keys_file": "/dev/null"}, "INVALID_ARGUMENT: api_keys_file must be a JSON"),
    ],
)  # fmt: skip
def test_what_cannot_start(tmp_path: Path, flags: dict[str, Any], words: str) -> None:
    with pytest.raises(StartError) as caught:
        launch(tmp_path, **flags)
    assert str(caught.value).startswith(words)


def test_a_bad_file_says_where(tmp_path: Path) -> None:
    path = tmp_path / "models"
    path.write_text("model_config_list: {\n  config { nmae: 'm' }\n}")
    with pytest.raises(StartError) as caught:
        launch(tmp_path, model_config_file=str(path))
    assert str(caught.value) == f"INVALID_ARGUMENT: Invalid protobuf file: '{path}'"
    assert caught.value.parsing == (
        "Error parsing text-format tensorflow.serving.ModelServerConfig: 2:12: "
        'Message type "tensorflow.serving.ModelConfig" has no field named "nmae".'
    )


def test_saved_models_are_seen(tmp_path: Path) -> None:
    found = launch(tmp_path, model_base_path=str(tmp_path / "m"))
    assert not found.has_saved_model()
    (tmp_path / "m" / "1").mkdir(parents=True)
    (tmp_path / "m" / "1" / "saved_model.pb").touch()
    assert found.has_saved_model()
