"""How often a server is looked at, and over what."""

from __future__ import annotations

from pydantic import Field

from workbench.core.settings import Settings


class MonitorSettings(Settings):
    """What one look takes into account."""

    seconds: float = Field(default=1.0, gt=0, le=3600, description="seconds between two looks")
    recent_seconds: float = Field(
        default=10.0, gt=0, le=86_400, description="age up to which requests count for errors and latency"
    )
    min_requests: int = Field(
        default=20,
        ge=1,
        le=10_000,
        description="requests that errors and latency are judged by at least, older ones too",
    )
    labelled: int = Field(default=500, ge=10, le=100_000, description="labelled requests that accuracy is judged by")
    min_labels: int = Field(default=50, ge=1, le=100_000, description="labels that accuracy needs")
