"""The gRPC server of one worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from workbench.core.errors import ServingError
from workbench.serve.grpc import model_service, prediction_service
from workbench.serve.grpc.access import Access
from workbench.serve.grpc.health_service import HealthService
from workbench.serve.grpc.model_service import ModelService
from workbench.serve.grpc.prediction_service import PredictionService
from workbench.serve.security.guard import Guard
from workbench.serve.security.tls import grpc_credentials

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.serve.control import Control
    from workbench.serve.inference import Inference
    from workbench.serve.limits import Limits
    from workbench.serve.security.settings import Security

_UNLIMITED = -1


def grpc_server(
    inference: Inference,
    control: Control,
    limits: Limits,
    security: Security,
    *,
    health: bool = False,
    tensor_content: bool = False,
    channel_arguments: Sequence[tuple[str, int | str]] = (),
) -> grpc.aio.Server:
    """Return a server that is not started and has no port yet; `open_port` gives it one.

    Args:
        inference: What answers.
        control: What is asked for another configuration.
        limits: A larger message than `body_bytes` is RESOURCE_EXHAUSTED, as are more than `connections` calls at once.
        security: API keys; its certificates belong to the ports.
        health: Answer `grpc.health.v1` too, as with TensorFlow Serving's `--enable_grpc_healthcheck_service`.
        tensor_content: Write outputs as raw bytes, as with its `--enable_serialization_as_tensor_content`.
        channel_arguments: gRPC's own options, which go before ours.
    """
    guard = Guard(security)
    options = {**_options(limits), **dict(channel_arguments)}
    server = grpc.aio.server(
        interceptors=[Access(guard)] if guard.active else [],
        options=tuple(options.items()),
        maximum_concurrent_rpcs=limits.connections,
    )
    PredictionService(inference, limits.body_bytes, tensor_content=tensor_content).add_to(server)
    ModelService(inference, control).add_to(server)
    if health:
        HealthService(inference.models, (prediction_service.NAME, model_service.NAME)).add_to(server)
    return server


def open_port(server: grpc.aio.Server, address: str, security: Security) -> int:
    """Make a server that is not started listen on an address, with TLS where there is a certificate.

    Args:
        server: Of `grpc_server`.
        address: `HOST:PORT`, port 0 takes a free one, or `unix:PATH`, which never has TLS.
        security: Certificates.

    Returns:
        The port's number.

    Raises:
        BadInputError: A certificate cannot be used.
        ServingError: The address cannot be used.
    """
    credentials = None if address.startswith("unix:") else grpc_credentials(security)
    try:
        if credentials is None:
            return server.add_insecure_port(address)
        return server.add_secure_port(address, credentials)
    except RuntimeError:  # gRPC keeps the reason to itself
        hint = "its folder must exist and be writable, and the path be short" if address.startswith("unix:") else ""
        raise ServingError(f"gRPC cannot listen on {address}{hint and f'; {hint}'}.") from None


def channel_arguments(text: str) -> tuple[tuple[str, int | str], ...]:
    """Read gRPC options as TensorFlow Serving's `--grpc_channel_arguments` has them.

    Args:
        text: `name=value` pairs with commas between; a value that is a whole number is one.
    """
    pairs = (part.partition("=") for part in text.split(",") if part.strip())
    return tuple((name.strip(), _value(value.strip())) for name, _, value in pairs)


def _value(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text


def _options(limits: Limits) -> dict[str, int | str]:
    idle, header = round(limits.idle_seconds * 1000), round(limits.header_seconds * 1000)
    return {
        "grpc.max_receive_message_length": limits.body_bytes,
        "grpc.max_send_message_length": _UNLIMITED,
        "grpc.max_metadata_size": limits.header_bytes,
        "grpc.absolute_max_metadata_size": limits.header_bytes,
        "grpc.max_connection_idle_ms": idle,
        "grpc.server_handshake_timeout_ms": header,
        # A peer that is gone without a word is found.
        "grpc.keepalive_time_ms": idle,
    }
