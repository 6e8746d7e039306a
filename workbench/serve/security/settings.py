"""The settings of a server's safety."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from workbench.core.errors import BadInputError
from workbench.core.settings import Settings

Role = Literal["predict", "admin"]

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Security(Settings):
    """Keys and certificates; without any the server answers to this machine only."""

    api_keys: dict[str, Role] = Field(
        default={}, description="SHA-256 (hex) of each API key and what it may do; admin may also predict"
    )
    certificate: str | None = Field(default=None, description="PEM file of the server's certificate chain")
    private_key: str | None = Field(default=None, description="PEM file of the certificate's key")
    client_ca: str | None = Field(default=None, description="PEM file of those who sign clients' certificates (mTLS)")

    @field_validator("api_keys", mode="before")
    @classmethod
    def _hashes_only(cls, keys: Any) -> Any:
        # Whoever writes the key itself here would have it in every run folder; what may be one is not shown either.
        if not isinstance(keys, Mapping):
            raise _no_hash(f"a {type(keys).__name__}")
        for each in keys:
            if not isinstance(each, str) or not _SHA256.fullmatch(each.lower()):
                raise _no_hash(f"something of {len(str(each))} characters")
        return {each.lower(): role for each, role in keys.items()}

    @field_validator("certificate", "private_key", "client_ca")
    @classmethod
    def _from_everywhere(cls, path: str | None) -> str | None:
        # It is read by a process that works in another folder.
        return None if path is None else str(Path(path).absolute())

    @model_validator(mode="after")
    def _whole(self) -> Security:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("must have a certificate and its private_key, or neither")
        if self.client_ca is not None and self.certificate is None:
            raise ValueError("must have a certificate and its private_key where clients' certificates are asked for")
        return self


def _no_hash(got: str) -> BadInputError:
    return BadInputError.of(
        "api_keys", rule="must name keys by their SHA-256 in hex, 64 digits", got=got,
        hint="make a key with `workbench key` or `new_key()`, which give its hash too",
    )  # fmt: skip
