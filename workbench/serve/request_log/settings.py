"""What is noted of requests, and how much room it may take."""

from __future__ import annotations

from pydantic import Field

from workbench.core.settings import Settings

FOLDER = "requests"
"""Where the files are, in the server's run folder."""

_WEEK = 7 * 86400.0


class RequestLogSettings(Settings):
    """What a server notes of the requests that it answers; each worker has files of its own."""

    sample: float = Field(default=1.0, ge=0, le=1, description="share of the requests that is noted")
    max_bytes: int = Field(default=8 << 20, ge=1 << 12, le=1 << 32, description="bytes of a file; then the next begins")
    max_files: int = Field(default=8, ge=1, le=4096, description="files a worker keeps; the oldest goes first")
    max_age_seconds: float = Field(default=_WEEK, ge=1, le=1e9, description="age at which a request is forgotten")
    inputs: bool = Field(default=False, description="keep the inputs themselves, not only what they look like")
    flush_seconds: float = Field(default=0.5, gt=0, le=1, description="what a crash may lose")
    key_header: str = Field(
        default="x-client-id",
        pattern=r"^[a-z0-9_.\-]{1,128}$",
        description="header whose hash tells clients apart, small letters",
    )
