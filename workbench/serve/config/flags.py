"""The command line of `tensorflow_model_server`, with a few flags of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from workbench.core.errors import BadInputError
from workbench.core.settings import Settings, describe

if TYPE_CHECKING:
    from collections.abc import Sequence

IGNORED = {
    **dict.fromkeys(("grpc_max_threads", "num_load_threads", "num_unload_threads", "rest_api_num_threads"), "int"),
    **dict.fromkeys(("tensorflow_inter_op_parallelism", "num_request_iterations_for_warmup"), "int"),
    **dict.fromkeys(("num_tflite_pools", "num_tflite_interpreters_per_pool", "num_tflite_interpreters"), "int"),
    **dict.fromkeys(("flush_filesystem_caches", "enable_model_warmup", "prefer_tflite_model"), "bool"),
    **dict.fromkeys(("enable_signature_method_name_check", "enable_profiler", "skip_initialize_tpu"), "bool"),
    **dict.fromkeys(("xla_cpu_compilation_enabled", "xla_gpu_compilation_enabled"), "bool"),
    **dict.fromkeys(("remove_unused_fields_from_bundle_metagraph", "enable_per_model_batching_parameters"), "bool"),
    **dict.fromkeys(("saved_model_tags", "mixed_precision", "tensorflow_session_config_file"), "text"),
    **dict.fromkeys(("thread_pool_factory_config_file", "platform_config_file"), "text"),
    "use_alts_credentials": "bool",
    "use_tflite_model": "bool",  # what prefer_tflite_model was called
    "per_process_gpu_memory_fraction": "float",
}
"""Flags of the original that are taken and change nothing here, and what kind of value each has."""

_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
_PORT = 65535
_INT32 = (1 << 31) - 1


class FlagError(BadInputError):
    """A command line that cannot be read."""


class Flags(Settings):
    """What the command was told."""

    port: int = Field(default=8500, ge=0, le=_PORT, description="TCP port of gRPC; 0 for a Unix socket only")
    grpc_socket_path: str = Field(default="", description="Unix socket that gRPC also listens on")
    grpc_channel_arguments: str = Field(default="", description="gRPC's own options, name=value,name=value")
    enable_grpc_healthcheck_service: bool = Field(default=False, description="answer grpc.health.v1")
    enable_serialization_as_tensor_content: bool = Field(default=False, description="outputs over gRPC as raw bytes")
    rest_api_port: int = Field(default=0, ge=0, le=_PORT, description="TCP port of REST; 0 for none")
    rest_api_timeout_in_ms: int = Field(default=30000, ge=1, le=3_600_000, description="longest REST request, ms")
    rest_api_enable_cors_support: bool = Field(default=False, description="let pages of other origins ask over REST")
    model_name: str = Field(default="default", description="name of the model at model_base_path")
    model_base_path: str = Field(default="", description="folder whose subfolders are the model's versions")
    model_config_file: str = Field(default="", description="ModelServerConfig; used in place of the two above")
    model_config_file_poll_wait_seconds: int = Field(
        default=0, ge=-_INT32, le=_INT32, description="seconds between two looks at it; 0 reads it once"
    )
    file_system_poll_wait_seconds: int = Field(
        default=1, ge=-_INT32, le=86400, description="seconds between two looks for new versions; 0 looks once"
    )
    max_num_load_retries: int = Field(default=5, ge=0, le=_INT32, description="times a failed load is tried again")
    load_retry_interval_micros: int = Field(
        default=60_000_000, ge=-(1 << 62), le=1 << 62, description="pause before that, microseconds"
    )
    allow_version_labels_for_unavailable_models: bool = Field(
        default=False, description="labels that are new may name versions that are not loaded yet"
    )
    enable_batching: bool = Field(default=False, description="requests wait for others to share a run")
    batching_parameters_file: str = Field(default="", description="BatchingParameters; only with enable_batching")
    monitoring_config_file: str = Field(default="", description="MonitoringConfig: the page of metrics")
    ssl_config_file: str = Field(default="", description="SSLConfig: certificates")
    tensorflow_session_parallelism: int = Field(default=0, ge=0, le=_INT32, description="threads of one run; 0 is 1")
    tensorflow_intra_op_parallelism: int = Field(default=0, ge=0, le=_INT32, description="the same, and goes before it")
    version: bool = Field(default=False, description="say the version and end")
    help: bool = Field(default=False, description="say this and end")
    host: str = Field(default="127.0.0.1", description="ours: address to listen on; beyond this machine it needs keys")
    api_keys_file: str = Field(default="", description="ours: JSON object of SHA-256 of keys and `predict` or `admin`")
    oip_port: int = Field(default=0, ge=0, le=_PORT, description="ours: TCP port of KServe's form; 0 for none")
    workers: int = Field(default=0, ge=0, le=256, description="ours: processes that answer; 0 chooses")
    trust: bool = Field(default=False, description="ours: SavedModels may do more than calculate")


def read_flags(arguments: Sequence[str]) -> tuple[Flags, tuple[str, ...]]:
    """Read a command line.

    Args:
        arguments: Without the program's name: `--flag=value`, `--flag value`, `--flag` for true.

    Returns:
        The flags, and the names of those given that change nothing.

    Raises:
        FlagError: There is no such flag, or a value is not of its kind.
        BadInputError: A value is out of its bounds.
    """
    kinds = {one.name: one.kind for one in describe(Flags)}
    values: dict[str, Any] = {}
    ignored: list[str] = []
    left = list(arguments)
    while left:
        name, equals, value = left.pop(0).partition("=")
        kind = kinds.get(name[2:]) or IGNORED.get(name[2:])
        if not name.startswith("--") or kind is None:
            raise FlagError(f"unknown argument: {name}{equals}{value}")
        if not equals:
            value = _next_value(name, kind, left)
        found = _value(name, kind, value)
        if name[2:] in kinds:
            values[name[2:]] = found
        else:
            ignored.append(name[2:])
    return Flags.parse(values), tuple(ignored)


def usage(program: str) -> str:
    """Return what the command says when it is asked for help or told nonsense."""
    lines = [
        f"\t--{one.name}={str(one.default).lower() if one.kind == 'bool' else repr(one.default)}\t"
        f"{one.kind}\t{one.description}"
        for one in describe(Flags)
    ]
    taken = ", ".join(f"--{name}" for name in sorted(IGNORED))
    return "\n".join([f"usage: {program}", "Flags:", *lines, f"Taken and without effect here: {taken}", ""])


def _next_value(name: str, kind: str, left: list[str]) -> str:
    if kind == "bool":
        return left.pop(0) if left and left[0].lower() in (*_TRUE, *_FALSE) else "true"
    if not left:
        raise FlagError(f"{name} must have a value; write {name}=VALUE.")
    return left.pop(0)


def _value(name: str, kind: str, value: str) -> Any:
    try:
        if kind == "int":
            return int(value)
        if kind == "float":
            return float(value)
    except ValueError:
        raise FlagError(f"{name} must be a number, got {value!r}.") from None
    if kind == "bool":
        if value.lower() not in (*_TRUE, *_FALSE):
            raise FlagError(f"{name} must be true or false, got {value!r}.")
        return value.lower() in _TRUE
    return value
