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
_LENGTH = re.compile(rb"(\d{1,6}) ")


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
    extra: dict[str, str] = {}
    while (block := _whole(read, BLOCK)).strip(b"\0"):
        info = _info(block)
        if info.type == tarfile.XHDTYPE:
            size = min(info.size, _MOST_HEADER)
            extra = _records(_whole(read, size + -size % BLOCK)[:size])
            continue
        # What does not fit into a header stands in an extra one before it: long names, sizes from 8 GiB on.
        size = int(extra["size"]) if extra.get("size", "").isdecimal() else info.size
        found = Member(extra.get("path", info.name), size, _what(info), read, size)
        yield found
        for _ in found.chunks():
            pass
        _whole(read, -size % BLOCK)
        extra = {}


def _info(block: bytes) -> tarfile.TarInfo:
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "strict")
    except (tarfile.HeaderError, ValueError) as error:
        raise BrokenArchiveError(f"a member's header cannot be read ({error})") from None


def _records(header: bytes) -> dict[str, str]:
    # Each is "LENGTH KEY=VALUE\n", and its length counts itself.
    found, start = {}, 0
    while (match := _LENGTH.match(header, start)) and match.end() < (end := start + int(match[1])) <= len(header):
        key, _, value = header[match.end() : end - 1].partition(b"=")
        try:
            found[key.decode()] = value.decode()
        except UnicodeDecodeError:
            raise BrokenArchiveError("a member's name is no UTF-8") from None
        start = end
    return found


def _what(info: tarfile.TarInfo) -> str:
    if info.isreg():
        return "file"
    if info.isdir():
        return "folder"
    return f"a link to {info.linkname!r}" if info.issym() or info.islnk() else "a device, pipe or unknown thing"


def _whole(read: Callable[[int], bytes], size: int) -> bytes:
    if size < 0 or len(data := read(size)) < size:
        raise BrokenArchiveError("it ends too early")
    return data
