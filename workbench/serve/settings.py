"""What a serving sandbox can be told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.core.settings import Settings

MODEL_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}$"
"""A model name is one folder of the store and one part of a URL: it can leave neither."""


class ServeSettings(Settings):
    """How a sandbox answers; the model's files are named apart from it."""

    name: str = Field(default="model", pattern=MODEL_NAME, description="model name in the URL")
    port: int = Field(default=0, ge=0, le=65535, description="TCP port; 0 takes a free one")
    host: Literal["127.0.0.1"] = Field(default="127.0.0.1", description="address to listen on; this machine only")
    threads: int = Field(default=1, ge=1, le=64, description="threads one inference may use")
    max_body_bytes: int = Field(
        default=64 * 1024 * 1024,
        ge=1024,
        le=1 << 31,
        description="largest request body, bytes, also after inflation",
    )
