"""What the load generator can be told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.core.settings import Settings

LoadFace = Literal["rest", "oip", "oip_binary"]

MAX_REQUESTS = 10_000_000


class LoadSettings(Settings):
    """How hard, how long and how regularly a server is asked."""

    connections: int = Field(default=16, ge=1, le=1000, description="connections at the same time")
    seconds: float = Field(default=10.0, ge=0.05, le=600, description="time that is measured, seconds")
    warmup_seconds: float = Field(default=0.5, ge=0, le=60, description="time before it that is not, seconds")
    rate: float | None = Field(
        default=None,
        gt=0,
        le=100_000,
        description="requests a second, at random times (Poisson), whatever the server does; as fast as it answers "
        "where not given",
    )
    face: LoadFace | None = Field(
        default=None, description="protocol; TensorFlow Serving's REST, or oip_binary for …/v2, where not given"
    )
    batch: int = Field(default=1, ge=1, le=65_536, description="samples in a request")
    timeout_seconds: float = Field(default=10.0, gt=0, le=600, description="longest wait for one answer, seconds")
    max_requests: int = Field(default=MAX_REQUESTS, ge=1, le=MAX_REQUESTS, description="end after so many requests")
    seed: int = Field(default=0, ge=0, le=(1 << 32) - 1, description="draws the times of an open loop")
