"""Who may talk to the cluster: one self-signed certificate a workspace, for scheduler, worker and clients alike.

Whoever can read `WORKBENCH_HOME/tls` (its owner) can submit jobs; nobody else on the machine can.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from workbench.core.errors import WorkspaceError
from workbench.core.workspace import Workspace, write_atomic, writing

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from distributed.security import Security

_VALID = timedelta(days=3650)


def certificate(workspace: Workspace) -> Path:
    """Return where the workspace's certificate lies; its key lies beside it."""
    return workspace.home / "tls" / "certificate.pem"


def ensure_certificate(workspace: Workspace) -> None:
    """Make key and certificate where there are none; only the one process that starts a cluster calls it.

    Raises:
        WorkspaceError: The folder cannot be written.
    """
    path = certificate(workspace)
    if path.is_file() and _key(path).is_file():
        return
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.parent.chmod(0o700)
    key_pem, certificate_pem = _self_signed()
    write_atomic(_key(path), key_pem, private=True)
    write_atomic(path, certificate_pem, private=True)


def security(workspace: Workspace) -> Security:
    """Return what Dask needs to speak TLS as this workspace, or as Dask's own configuration says, if it does.

    Raises:
        WorkspaceError: There is no certificate.
    """
    import dask
    from distributed.security import Security

    if dask.config.get("distributed.comm.tls.ca-file", None):
        return Security(require_encryption=True)
    path = certificate(workspace)
    if not path.is_file():
        raise WorkspaceError(
            f"{path} is missing; put the certificate and key.pem of your scheduler there, "
            "or name them in Dask's configuration (distributed.comm.tls)."
        )
    cert, key = str(path), str(_key(path))
    return Security(
        require_encryption=True,
        tls_ca_file=cert,
        tls_scheduler_cert=cert,
        tls_scheduler_key=key,
        tls_worker_cert=cert,
        tls_worker_key=key,
        tls_client_cert=cert,
        tls_client_key=key,
    )


def _key(certificate_path: Path) -> Path:
    return certificate_path.with_name("key.pem")


def _self_signed() -> tuple[bytes, bytes]:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem, _certificate_for(key)


def _certificate_for(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "lastmile-workbench")])
    loopback = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName(loopback), critical=False)
    )
    return built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
