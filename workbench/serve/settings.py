"""What a serving sandbox can be told."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from workbench.core.settings import Settings
from workbench.serve.batching import Batching
from workbench.serve.limits import Limits
from workbench.serve.request_log.settings import RequestLogSettings
from workbench.serve.security import Security, require_guarded

MODEL_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}$"
"""A model name is one folder of the store and one part of a URL: it can leave neither."""

METRICS_PATH = "/monitoring/prometheus/metrics"
"""TensorFlow Serving's own."""

_PORT = 65535


class ServeSettings(Settings):
    """How a sandbox answers; the model's files are named apart from it."""

    name: str = Field(default="model", pattern=MODEL_NAME, description="model name in the URL")
    port: int = Field(default=0, ge=0, le=_PORT, description="TCP port of REST; 0 takes a free one")
    grpc_port: int | None = Field(default=0, ge=0, le=_PORT, description="TCP port of gRPC; 0 takes a free one")
    oip_port: int | None = Field(
        default=None, ge=0, le=_PORT, description="TCP port of the Open Inference Protocol and KServe's V1 form alone"
    )
    grpc_health: bool = Field(default=False, description="answer grpc.health.v1 too")
    grpc_tensor_content: bool = Field(default=False, description="outputs over gRPC as raw bytes, not as numbers")
    grpc_channel_arguments: str = Field(default="", description="gRPC's own options, name=value with commas between")
    grpc_socket: str | None = Field(default=None, description="path of a Unix socket that gRPC also listens on")
    security: Security = Field(default=Security(), description="keys and certificates")
    host: str = Field(
        default="127.0.0.1",
        validate_default=True,
        description="address to listen on; any beyond this machine's needs keys",
    )
    workers: int = Field(default=0, ge=0, le=256, description="processes that answer; 0 takes one a core")
    threads: int = Field(default=1, ge=1, le=64, description="threads one inference may use")
    cors: bool = Field(default=False, description="let pages of other origins ask over REST")
    metrics_path: str = Field(
        default=METRICS_PATH, pattern=r"^/[^?#\s]{1,255}$", description="path of the page of metrics on the REST port"
    )
    policy: Literal["specific", "latest", "all"] = Field(
        default="specific", description="versions served: those it was given, the newest of the store, or all of it"
    )
    num_versions: int = Field(default=1, ge=1, le=1024, description="versions served where the policy is latest")
    poll_seconds: float = Field(
        default=0.0, ge=0, le=86400, description="seconds between looks into the store; 0 looks when told to"
    )
    max_load_retries: int = Field(default=5, ge=0, le=100, description="times a version that fails to load is retried")
    load_retry_seconds: float = Field(default=60.0, ge=0, le=86400, description="seconds between those tries")
    label_rule: Literal["available", "new", "loaded"] = Field(
        default="loaded",
        description="when a label may mean a version: it answers already, or the label is new, or once it is loaded",
    )
    foreign: bool = Field(default=False, description="serve folders without a manifest of ours too")
    trust: bool = Field(default=False, description="somebody vouches for the code in the models of this store")
    drain_seconds: float = Field(
        default=5.0, ge=0, le=30, description="time that requests in flight have to be answered when it is stopped"
    )
    batching: Batching = Field(default=Batching(), description="how requests share a run")
    request_log: RequestLogSettings | None = Field(
        default=None, description="what is noted of requests, for drift and alarms; nothing where it is left out"
    )
    limits: Limits = Field(default=Limits(), description="what one client may ask")

    @field_validator("grpc_port", "oip_port")
    @classmethod
    def _is_its_own(cls, port: int | None, info: ValidationInfo) -> int | None:
        for name, door in {"port": "REST", "grpc_port": "gRPC"}.items():
            if port and port == info.data.get(name):
                raise ValueError(f"must be another number than that of {door}")
        return port

    @field_validator("metrics_path")
    @classmethod
    def _is_free(cls, path: str) -> str:
        if re.match(r"/(v1/|v2(/|$)|healthz$|monitoring/stats$)", path, re.IGNORECASE):
            raise ValueError("must not be one of the server's other paths")
        return path

    @field_validator("request_log", mode="before")
    @classmethod
    def _as_usual(cls, asked: Any) -> Any:
        return (RequestLogSettings() if asked else None) if isinstance(asked, bool) else asked

    @field_validator("grpc_socket")
    @classmethod
    def _from_everywhere(cls, path: str | None) -> str | None:
        # It is opened by a process that works in another folder.
        return str(Path(path).absolute()) if path else path

    @field_validator("host")
    @classmethod
    def _is_guarded(cls, host: str, info: ValidationInfo) -> str:
        if "security" in info.data:  # else it is what is wrong
            require_guarded(host, info.data["security"])
        try:
            return str(ipaddress.ip_address("127.0.0.1" if host == "localhost" else host))
        except ValueError:
            raise ValueError("must be an IP address to listen on, e.g. 127.0.0.1") from None
