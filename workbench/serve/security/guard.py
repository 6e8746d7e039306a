"""API keys: made once, kept as hashes, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

from workbench.core.errors import BadInputError
from workbench.serve.status import Code, RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.serve.security.settings import Role, Security

_KEY_ID = 8


class NewKey(NamedTuple):
    """An API key, shown once, and what `Security.api_keys` keeps of it."""

    key: str
    sha256: str


class Caller(NamedTuple):
    """Who asks for an admin action: the first 8 digits of the key's hash (empty where none is needed), the address."""

    key_id: str
    peer: str


_NOBODY = Caller("", "")
_caller: ContextVar[Caller] = ContextVar("caller", default=_NOBODY)


def new_key() -> NewKey:
    """Make an API key of 256 random bits.

    Returns:
        The key, for the client, and its SHA-256, for the server's settings.
    """
    key = f"wb_{secrets.token_urlsafe(32)}"
    return NewKey(key, _sha256(key))


def require_guarded(host: str, security: Security) -> None:
    """Hold an address that others can reach to having API keys.

    Args:
        host: Address to listen on.
        security: Its keys.

    Raises:
        BadInputError: It is not this machine's loopback and there are no keys.
    """
    if security.api_keys or _loopback(host):
        return
    raise BadInputError.of(
        "host",
        rule="must be 127.0.0.1, ::1 or localhost where no API keys are set",
        got=host,
        hint="make a key with `new_key()` or `workbench key` and give its hash as --api-key or as "
        "`Security(api_keys={sha256: 'predict'})`",
    )


def find_key(headers: Iterable[tuple[bytes | str, bytes | str]]) -> str | None:
    """Return the key of `Authorization: Bearer …` or `x-api-key: …`, of HTTP headers or gRPC metadata in lower case."""
    for name, value in headers:
        if name in ("x-api-key", b"x-api-key"):
            return _text(value).strip()
        if name in ("authorization", b"authorization"):
            scheme, _, key = _text(value).strip().partition(" ")
            if scheme.lower() == "bearer":
                return key.strip()
    return None


def acting(key_id: str, peer: str) -> None:
    """Say who asks, for the audit log; holds for the current task."""
    _caller.set(Caller(key_id, peer))


def caller() -> Caller:
    """Return who asks, as `acting` said."""
    return _caller.get()


class Guard:
    """Holds requests to the keys of a server.

    Attributes:
        active: There are keys; without any everyone may ask.
    """

    def __init__(self, security: Security) -> None:
        self._keys = security.api_keys
        self.active = bool(self._keys)

    def require(self, role: Role, key: str | None) -> str:
        """Let a request pass that has a key of this role.

        Args:
            role: What the request needs; a key of an admin may also predict.
            key: The key it came with.

        Returns:
            The key's id, the first 8 digits of its hash; empty where no keys are needed.

        Raises:
            RequestError: UNAUTHENTICATED without a known key, PERMISSION_DENIED with one that may not.
        """
        if not self.active:
            return ""
        if not key:
            raise RequestError(Code.UNAUTHENTICATED, "An API key is needed: send it as 'Authorization: Bearer KEY'")
        given = _sha256(key)
        held: Role | None = None
        for known, its in self._keys.items():  # all of them, so that time tells nothing of which
            if hmac.compare_digest(known, given):
                held = its
        if held is None:
            raise RequestError(Code.UNAUTHENTICATED, "The API key is not known here")
        if role == "admin" and held != "admin":
            raise RequestError(Code.PERMISSION_DENIED, "The API key may predict but not administer")
        return given[:_KEY_ID]


def _sha256(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "surrogateescape")


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
