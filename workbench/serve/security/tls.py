"""TLS, and mutual TLS where clients must show a certificate."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    import grpc

    from workbench.serve.security.settings import Security


def ssl_context(security: Security) -> ssl.SSLContext | None:
    """Return how the REST port talks TLS, None where there is no certificate.

    Raises:
        BadInputError: A file is missing or is not what it should be.
    """
    if security.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(security.certificate, security.private_key, password=_no_password)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise _unusable("certificate", security.certificate, error) from None
    if security.client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_verify_locations(security.client_ca)
        except (OSError, ssl.SSLError) as error:
            raise _unusable("client_ca", security.client_ca, error) from None
    return context


def grpc_credentials(security: Security) -> grpc.ServerCredentials | None:
    """Return how the gRPC port talks TLS, None where there is no certificate.

    Raises:
        BadInputError: A file is missing or is not what it should be.
    """
    if ssl_context(security) is None:  # gRPC takes any bytes and fails at the first client
        return None
    import grpc

    chain, key = (Path(str(each)).read_bytes() for each in (security.certificate, security.private_key))
    roots = None if security.client_ca is None else Path(security.client_ca).read_bytes()
    return grpc.ssl_server_credentials([(key, chain)], roots, require_client_auth=roots is not None)


def _no_password() -> str:
    # Else OpenSSL asks on the terminal and the server hangs.
    raise ValueError("the private key must not be encrypted")


def _unusable(parameter: str, path: str, error: Exception) -> BadInputError:
    reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
    return BadInputError.of(parameter, rule=f"must be a readable PEM file that fits ({reason})", got=path)
