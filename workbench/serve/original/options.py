"""Our settings in the words of `tensorflow_model_server`: its flags and its text files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.errors import BadInputError
from workbench.serve.config.model_server import write_models
from workbench.serve.config.tokens import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.serve.batching import Batching
    from workbench.serve.config.model_config import ModelConfig
    from workbench.serve.security import Security
    from workbench.serve.settings import ServeSettings

BINARY = "tensorflow_model_server"
MODELS, BATCHING, SSL = "models.config", "batching.config", "ssl.config"


def flags(settings: ServeSettings, ports: Mapping[str, int], files: Mapping[str, str]) -> list[str]:
    """Return the command line's flags.

    Args:
        settings: What our server would be told.
        ports: Numbers of the doors `rest` and `grpc`.
        files: Where the files of `texts` lie, by name.

    Raises:
        BadInputError: A setting is nothing that the original can do.
    """
    if settings.security.api_keys:
        raise BadInputError.of(
            "security.api_keys", rule="must be empty for tensorflow-serving, which knows no keys",
            got=f"{len(settings.security.api_keys)} keys", hint="put a proxy that checks them before it",
        )  # fmt: skip
    found = {
        "port": ports.get("grpc", 0),
        "rest_api_port": ports["rest"],
        "model_config_file": files[MODELS],
        "model_config_file_poll_wait_seconds": 1,
        # With 0 it would never load what a new configuration names.
        "file_system_poll_wait_seconds": max(1, round(settings.poll_seconds)),
        "allow_version_labels_for_unavailable_models": "true",
        "max_num_load_retries": settings.max_load_retries,
        "load_retry_interval_micros": round(settings.load_retry_seconds * 1e6),
        "rest_api_timeout_in_ms": round(settings.limits.request_seconds * 1000),
        "tensorflow_intra_op_parallelism": settings.threads,
    }
    if settings.cors:
        found["rest_api_enable_cors_support"] = "true"
    if settings.grpc_socket:
        found["grpc_socket_path"] = settings.grpc_socket
    if BATCHING in files:
        found |= {"enable_batching": "true", "batching_parameters_file": files[BATCHING]}
    if SSL in files:
        found["ssl_config_file"] = files[SSL]
    return [f"--{name}={value}" for name, value in found.items()]


def texts(settings: ServeSettings, config: ModelConfig) -> dict[str, str]:
    """Return the files that the flags name: what is served, and batching and TLS where they are on."""
    found = {MODELS: write_models([config])}
    if settings.batching.mode == "on":
        found[BATCHING] = _batching_text(settings.batching)
    if settings.security.certificate is not None:
        found[SSL] = _ssl_text(settings.security)
    return found


def _batching_text(batching: Batching) -> str:
    values = {
        "max_batch_size": batching.max_batch_size,
        "batch_timeout_micros": batching.batch_timeout_micros,
        "max_enqueued_batches": batching.max_enqueued_batches,
    }
    if batching.num_batch_threads:
        values["num_batch_threads"] = batching.num_batch_threads
    lines = [f"{name} {{ value: {value} }}\n" for name, value in values.items()]
    return "".join(lines + [f"allowed_batch_sizes: {size}\n" for size in batching.allowed_batch_sizes])


def _ssl_text(security: Security) -> str:
    files = {"server_key": security.private_key, "server_cert": security.certificate, "custom_ca": security.client_ca}
    verify = "true" if security.client_ca is not None else "false"
    lines = [f"{field}: {quoted(open_text(path))}\n" for field, path in files.items() if path is not None]
    return "".join(lines) + f"client_verify: {verify}\n"


def open_text(path: str) -> str:
    """Return a PEM file's text, which the original wants in its own.

    Raises:
        BadInputError: It cannot be read.
    """
    try:
        with open(path, encoding="ascii") as file:  # noqa: PTH123 - a setting holds text, no Path
            return file.read()
    except (OSError, ValueError) as error:
        raise BadInputError.of("security", rule=f"must name PEM files that can be read ({error})", got=path) from None
