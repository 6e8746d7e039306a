"""`--ssl_config_file`: tensorflow.serving.SSLConfig, which holds the certificates themselves and not their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from workbench.core.errors import BadInputError
from workbench.core.settings import Settings
from workbench.core.workspace import write_atomic
from workbench.serve.config.fields import Fields
from workbench.serve.config.text_proto import parse
from workbench.serve.security import Security

if TYPE_CHECKING:
    from pathlib import Path

TYPE = "tensorflow.serving.SSLConfig"


class SslConfig(Settings):
    """Certificates of the gRPC port, PEM."""

    server_key: str = Field(default="", description="the server's private key", repr=False)
    server_cert: str = Field(default="", description="the server's certificate chain")
    custom_ca: str = Field(default="", description="those who sign clients' certificates")
    client_verify: bool = Field(default=False, description="whether clients must have a certificate")

    def security(self, folder: Path) -> Security:
        """Write the certificates into a folder, readable by this user only, and return the settings that name them.

        Raises:
            BadInputError: The server's key or certificate, or the authority that clients need, is missing.
            WorkspaceError: The folder cannot be written.
        """
        if not self.server_key or not self.server_cert:
            raise BadInputError.of("ssl_config_file", rule="must give server_key and server_cert", got="one or none")
        if self.client_verify and not self.custom_ca:
            raise BadInputError.of(
                "ssl_config_file", rule="must give custom_ca where client_verify is true", got="none"
            )
        return Security(
            certificate=_written(folder / "certificate.pem", self.server_cert),
            private_key=_written(folder / "private_key.pem", self.server_key),
            client_ca=_written(folder / "client_ca.pem", self.custom_ca) if self.client_verify else None,
        )


def read_ssl(text: str) -> SslConfig:
    """Read the certificates.

    Raises:
        TextProtoError: It is no such message; the line and the column are named.
    """
    fields = Fields(parse(text), TYPE)
    found = SslConfig(
        **{name: fields.text(name) for name in ("server_key", "server_cert", "custom_ca")},
        client_verify=fields.boolean("client_verify"),
    )
    fields.end()
    return found


def _written(path: Path, content: str) -> str:
    write_atomic(path, content, private=True)
    return str(path)
