"""Replies compressed for who asks for it, where it is worth the while."""

from __future__ import annotations

import gzip
import re
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.serve.rest.replies import Reply

_WORTH_BYTES = 1024  # a shorter reply fits into one packet anyway
_FASTEST = 1
_COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, _FASTEST, mtime=0),
    "deflate": lambda data: zlib.compress(data, _FASTEST),
}
_NEVER = re.compile(r"\s*q\s*=\s*0(\.0*)?\s*")


def accepted(header: bytes, size: int) -> str | None:
    """Return the encoding to send a reply in, None where it goes as it is.

    Args:
        header: What `Accept-Encoding` says.
        size: Bytes of the reply.
    """
    if size < _WORTH_BYTES:
        return None
    for one in header.decode("latin-1").lower().split(","):
        name, _, quality = one.partition(";")
        if name.strip() in _COMPRESS and not _NEVER.fullmatch(quality):
            return name.strip()
    return None


def compressed(reply: Reply, encoding: str) -> Reply:
    """Return a reply in an encoding that `accepted` chose."""
    headers = (*reply.headers, (b"content-encoding", encoding.encode()))
    return replace(reply, body=_COMPRESS[encoding](reply.body), headers=headers)
