"""The members of a tar, one after the other, with a bound on everything that is held in memory.

`tarfile` reads more kinds of headers than we write, and as many bytes for one as it says.
"""

from __future__ import annotations

import re
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.package.gzip_frame import BrokenArchiveError
from workbench.package.tar_stream import BLOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CHUNK = 1 << 20
_MOST_HEADER = 1 << 16
_PATH = re.compile(rb"\d+ path=([^\n]*)\n")


@dataclass
class Member:
    """A member; its bytes are read, or skipped, before the next.

    Attributes:
        name: Its path.
        size: Its length in bytes.
        what: `file`, `folder`, or words for what it is instead.
    """

    name: str
    size: int
    what: str
    _read: Callable[[int], bytes]
    _left: int

    def chunks(self) -> Iterator[bytes]:
        """Return its bytes, part by part."""
        while self._left:
            chunk = _whole(self._read, min(_CHUNK, self._left))
            self._left -= len(chunk)
            yield chunk


def members(read: Callable[[int], bytes]) -> Iterator[Member]:
    """Return the members of a tar.

    Args:
        read: Gives the next bytes; fewer than asked for at the end only.

    Raises:
        BrokenArchiveError: It is no tar, or ends too early.
    """
    name = None
    while (block := _whole(read, BLOCK)).strip(b"\0"):
        info = _info(block)
        if info.type == tarfile.XHDTYPE:
            name = _path(_whole(read, _padded(min(info.size, _MOST_HEADER)))[: info.size])
            continue
        found = Member(name or info.name, info.size, _what(info), read, info.size)
        yield found
        for _ in found.chunks():
            pass
        _whole(read, -info.size % BLOCK)
        name = None


def _info(block: bytes) -> tarfile.TarInfo:
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "strict")
    except (tarfile.HeaderError, ValueError) as error:
        raise BrokenArchiveError(f"a member's header cannot be read ({error})") from None


def _path(header: bytes) -> str | None:
    found = _PATH.search(header)
    try:
        return found[1].decode() if found else None
    except UnicodeDecodeError:
        raise BrokenArchiveError("a member's name is no UTF-8") from None


def _what(info: tarfile.TarInfo) -> str:
    if info.isreg():
        return "file"
    if info.isdir():
        return "folder"
    return f"a link to {info.linkname!r}" if info.issym() or info.islnk() else "a device, pipe or unknown thing"


def _padded(size: int) -> int:
    return size + -size % BLOCK


def _whole(read: Callable[[int], bytes], size: int) -> bytes:
    if size < 0 or len(data := read(size)) < size:
        raise BrokenArchiveError("it ends too early")
    return data
