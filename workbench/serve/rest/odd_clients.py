"""Old clients, and clients that offer more than HTTP/1.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    Headers = Sequence[tuple[bytes, bytes]]


def keeps_alive(headers: Headers) -> bool:
    """Tell whether an HTTP/1.0 client asks to keep its connection, as ApacheBench does."""
    asked = {name: value.lower() for name, value in headers}
    # Chunks are unknown to HTTP/1.0; where its request ends is not sure then.
    return asked.get(b"connection") == b"keep-alive" and b"transfer-encoding" not in asked


def without_upgrade(method: bytes, url: bytes, version: str, headers: Headers) -> bytes:
    """Return a request's head without its offer to change the protocol.

    Java's client offers HTTP/2 with every request, curl does with `--http2`. The parser takes an offer as the end of
    HTTP and would not read the body.

    Args:
        method: HTTP method.
        url: As it was sent.
        version: HTTP version, e.g. `1.1`.
        headers: Names in lower case.
    """
    lines = [b"%s: %s\r\n" % each for each in headers if each[0] not in (b"upgrade", b"connection")]
    tokens = [token.strip() for name, value in headers if name == b"connection" for token in value.split(b",")]
    kept = [token for token in tokens if token.lower() not in (b"upgrade", b"http2-settings")]
    if kept:
        lines.append(b"connection: %s\r\n" % b", ".join(kept))
    return b"%s %s HTTP/%s\r\n%s\r\n" % (method, url, version.encode(), b"".join(lines))
