"""Where a server is, and what it wants to see of a client."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from workbench.core.errors import BadInputError

_HTTP, _GRPC = ("http", "https"), ("grpc", "grpcs", "grpc+oip", "grpcs+oip", "grpc+unix")


@dataclass(frozen=True)
class Access:
    """An address, a key and certificates.

    Attributes:
        url: `http(s)://host:port` (TensorFlow Serving's REST), `…/v2` (Open Inference Protocol),
            `grpc(s)://host:port` or `grpc+unix:///path` (TensorFlow Serving), `grpc(s)+oip://host:port`.
        model: Model name.
        api_key: Sent with every question.
        ca: PEM file of those who sign the server's certificate; the system's where None.
        certificate: PEM file of the client's own certificate chain (mutual TLS).
        private_key: PEM file of its key.
    """

    url: str
    model: str
    api_key: str | None = None
    ca: str | None = None
    certificate: str | None = None
    private_key: str | None = None

    def __post_init__(self) -> None:
        """Refuse what can never work.

        Raises:
            BadInputError: The URL is of no known kind, or a file is missing.
        """
        parts = urlsplit(self.url)
        if parts.scheme not in (*_HTTP, *_GRPC) or not (parts.netloc or parts.scheme == "grpc+unix"):
            raise BadInputError.of(
                "url", rule="must start with http:// or https://", got=self.url,
                hint="or, for gRPC, grpc://host:port or grpc+oip://host:port",
            )  # fmt: skip
        if (self.certificate is None) != (self.private_key is None):
            raise BadInputError.of(
                "certificate", rule="must be given together with private_key", got=self.certificate or self.private_key
            )
        for name in ("ca", "certificate", "private_key"):
            if (path := getattr(self, name)) is not None and not Path(path).is_file():
                raise BadInputError.of(name, rule="must be a PEM file", got=path)

    @property
    def scheme(self) -> str:
        """What the URL starts with."""
        return urlsplit(self.url).scheme

    @property
    def oip(self) -> bool:
        """Whether the Open Inference Protocol is spoken."""
        parts = urlsplit(self.url)
        return parts.scheme.endswith("+oip") or (parts.scheme in _HTTP and parts.path.rstrip("/").endswith("/v2"))

    @property
    def grpc_target(self) -> str:
        """The address as gRPC takes it."""
        parts = urlsplit(self.url)
        return f"unix:{parts.path}" if parts.scheme == "grpc+unix" else parts.netloc

    def headers(self) -> dict[str, str]:
        """Return what is sent with every question, over HTTP as over gRPC."""
        return {} if self.api_key is None else {"authorization": f"Bearer {self.api_key}"}
