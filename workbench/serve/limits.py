"""What one client may ask of a server before it is refused."""

from __future__ import annotations

from pydantic import Field

from workbench.core.settings import Settings


class Limits(Settings):
    """Bounds of a server; whatever is beyond one is refused with a clear answer and harms nobody else."""

    body_bytes: int = Field(
        default=64 * 1024 * 1024, ge=1024, le=1 << 31, description="largest request body, bytes, also after inflation"
    )
    pending_bytes: int = Field(
        default=512 * 1024 * 1024, ge=1024, le=1 << 40, description="bytes of all large bodies held at once, one worker"
    )
    values: int = Field(default=1 << 24, ge=16, le=1 << 31, description="most numbers or texts in one JSON body")
    header_bytes: int = Field(default=64 * 1024, ge=1024, le=1 << 20, description="largest request head, bytes")
    json_depth: int = Field(default=64, ge=4, le=512, description="deepest nesting of a JSON body")
    header_seconds: float = Field(default=10.0, gt=0, le=600, description="time for a request's head and body to stall")
    idle_seconds: float = Field(default=75.0, gt=0, le=3600, description="time an idle connection is kept")
    request_seconds: float = Field(default=30.0, gt=0, le=3600, description="time one REST request may take")
    connections: int = Field(default=2048, ge=1, le=65536, description="connections at the same time, one worker")
