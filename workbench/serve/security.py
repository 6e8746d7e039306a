"""Who may ask a server, and over what."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.core.settings import Settings

Role = Literal["predict", "admin"]


class Security(Settings):
    """Keys and certificates; without any the server answers to this machine only."""

    api_keys: dict[str, Role] = Field(
        default={}, description="SHA-256 (hex) of each API key and what it may do; admin may also predict"
    )
    certificate: str | None = Field(default=None, description="PEM file of the server's certificate chain")
    private_key: str | None = Field(default=None, description="PEM file of the certificate's key")
    client_ca: str | None = Field(default=None, description="PEM file of those who sign clients' certificates (mTLS)")
