"""From flags to what a server is told, in the original's words where that cannot be."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from workbench.core.errors import BadInputError, WorkbenchError
from workbench.serve.batching import Batching
from workbench.serve.config import batching_parameters, model_server, monitoring, ssl_config
from workbench.serve.config.model_config import ModelConfig
from workbench.serve.config.tokens import TextProtoError
from workbench.serve.limits import Limits
from workbench.serve.security import Security
from workbench.serve.settings import METRICS_PATH, MODEL_NAME, ServeSettings
from workbench.serve.versions.config_file import ConfigFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.serve.config.flags import Flags

T = TypeVar("T")

_BODY_BYTES = 1 << 30  # the original has no bound at all
_MOST_RETRIES, _LONGEST_RETRY_SECONDS, _MOST_THREADS = 100, 86400.0, 64


class StartError(WorkbenchError):
    """The server cannot be started as it was told; the message begins with a status code's name.

    Attributes:
        parsing: What protocol buffers say on standard error of a file that they cannot read; else empty.
    """

    def __init__(self, message: str, parsing: str = "") -> None:
        super().__init__(message)
        self.parsing = parsing


@dataclass(frozen=True)
class Launch:
    """What a server is told.

    Attributes:
        settings: How to answer.
        models: What to serve at the start.
        file: Where that is written, if in a file.
        file_seconds: Seconds between two looks at the file; 0 for never.
        notes: What was asked and is not done, one sentence each.
    """

    settings: ServeSettings
    models: tuple[ModelConfig, ...]
    file: ConfigFile | None = None
    file_seconds: float = 0.0
    notes: tuple[str, ...] = ()

    def configs(self) -> tuple[ModelConfig, ...]:
        """Return what to serve now.

        Raises:
            BadInputError: The file cannot be read.
        """
        return self.models if self.file is None else tuple(self.file.models())

    def has_saved_model(self) -> bool:
        """Tell whether a version needs TensorFlow, whose processes are large."""
        bases = (Path(one.base_path) for one in self.models)
        return any(True for base in bases for _ in base.glob("*/saved_model.pb"))


def launch_of(flags: Flags, folder: Path) -> Launch:
    """Return what a server is told.

    Args:
        flags: The command line.
        folder: Of this user alone, for certificates.

    Raises:
        StartError: A file cannot be read, or flags contradict each other.
    """
    try:
        return _launch(flags, folder)
    except BadInputError as error:
        raise StartError(f"INVALID_ARGUMENT: {error}") from None


def _launch(flags: Flags, folder: Path) -> Launch:
    if not flags.port and not flags.grpc_socket_path:
        raise BadInputError("server_options.grpc_port is not set.")
    if not flags.model_base_path and not flags.model_config_file:
        raise BadInputError("Both server_options.model_base_path and server_options.model_config_file are empty!")
    notes: list[str] = []
    models, file = _models(flags)
    settings = ServeSettings(
        name=models[0].name if models and re.fullmatch(MODEL_NAME, models[0].name) else "default",
        port=_rest_port(flags, notes),
        grpc_port=flags.port or None,
        grpc_socket=flags.grpc_socket_path or None,
        grpc_health=flags.enable_grpc_healthcheck_service,
        grpc_tensor_content=flags.enable_serialization_as_tensor_content,
        grpc_channel_arguments=flags.grpc_channel_arguments,
        oip_port=flags.oip_port or None,
        host=flags.host,
        security=_security(flags, folder, notes),
        workers=flags.workers,
        threads=_threads(flags),
        cors=flags.rest_api_enable_cors_support,
        metrics_path=_metrics_path(flags),
        poll_seconds=max(flags.file_system_poll_wait_seconds, 0),
        max_load_retries=min(flags.max_num_load_retries, _MOST_RETRIES),
        load_retry_seconds=min(max(flags.load_retry_interval_micros, 0) / 1e6, _LONGEST_RETRY_SECONDS),
        label_rule="new" if flags.allow_version_labels_for_unavailable_models else "available",
        foreign=True,
        trust=flags.trust,
        batching=_batching(flags, notes),
        limits=Limits(request_seconds=flags.rest_api_timeout_in_ms / 1000, body_bytes=_BODY_BYTES),
    )
    poll = max(flags.model_config_file_poll_wait_seconds, 0)
    return Launch(settings, models, file, poll if file is not None else 0, tuple(notes))


def _models(flags: Flags) -> tuple[tuple[ModelConfig, ...], ConfigFile | None]:
    if flags.model_config_file:
        path = Path(flags.model_config_file)
        return tuple(_read(path, model_server.TYPE, model_server.read_models)), ConfigFile(path)
    if not flags.model_base_path.startswith("/"):
        raise BadInputError(
            f"Expected model {flags.model_name} to have an absolute path or URI; "
            f"got base_path()={flags.model_base_path}"
        )
    return (ModelConfig(name=flags.model_name, base_path=flags.model_base_path),), None


def _rest_port(flags: Flags, notes: list[str]) -> int:
    if flags.rest_api_port and flags.rest_api_port == flags.port:
        notes.append("rest_api_port cannot be the same as port; REST is on a free port")
        return 0
    if not flags.rest_api_port:
        notes.append("no rest_api_port was given; REST is on a free port of this machine")
    return flags.rest_api_port


def _threads(flags: Flags) -> int:
    asked = flags.tensorflow_intra_op_parallelism or flags.tensorflow_session_parallelism or 1
    return min(asked, _MOST_THREADS)


def _batching(flags: Flags, notes: list[str]) -> Batching:
    if not flags.enable_batching:
        if flags.batching_parameters_file:
            raise BadInputError(
                "server_options.batching_parameters_file is set without setting server_options.enable_batching to true."
            )
        return Batching()
    if not flags.batching_parameters_file:
        return batching_parameters.ORIGINAL
    path = Path(flags.batching_parameters_file)
    found, ignored = _read(path, batching_parameters.TYPE, batching_parameters.read_batching)
    notes += [f"{name} of {path.name} has no effect" for name in ignored]
    return found


def _security(flags: Flags, folder: Path, notes: list[str]) -> Security:
    found = Security()
    if flags.ssl_config_file:
        config = _read(Path(flags.ssl_config_file), ssl_config.TYPE, ssl_config.read_ssl)
        found = config.security(folder)
        notes.append("certificates hold for REST too, not for gRPC alone")
    if flags.api_keys_file:
        found = found.replace(api_keys=_keys(Path(flags.api_keys_file)))
    return found


def _keys(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(_content(path))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BadInputError.of("api_keys_file", rule="must be a JSON object of hashes and roles", got=path.name)
    return found


def _metrics_path(flags: Flags) -> str:
    if not flags.monitoring_config_file:
        return METRICS_PATH
    return _read(Path(flags.monitoring_config_file), monitoring.TYPE, monitoring.read_monitoring).path


def _read(path: Path, type_name: str, reader: Callable[[str], T]) -> T:
    text = _content(path)
    try:
        return reader(text)
    except TextProtoError as error:
        raise StartError(
            f"INVALID_ARGUMENT: Invalid protobuf file: '{path}'",
            f"Error parsing text-format {type_name}: {error.line}:{error.column}: {error.reason}.",
        ) from None


def _content(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError:
        raise BadInputError(f"{path} must be UTF-8 text.") from None
    except OSError as error:
        raise StartError(f"NOT_FOUND: {path}; {error.strerror or error}") from None
