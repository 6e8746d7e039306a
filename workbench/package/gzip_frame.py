"""A gzip file that any program unpacks, and of which no bit can change unnoticed.

gzip protects what it holds, not how: bits that fill up a block and fields of its head can change without a word. The
head here has one form only, and in it, in an extra field, stands the sha256 of all bytes that follow.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import IO

HEAD_BYTES = 48

_LEVEL = 6
_HEAD_SUM, _EXTRA, _NAME, _COMMENT = 2, 4, 8, 16
_FIXED, _UNKNOWN_SYSTEM = 10, 255
_FIELD = b"LW"  # of Lastmile Workbench
_MOST_BYTES = 1 << 36
_CHUNK = 1 << 16


class BrokenArchiveError(Exception):
    """It cannot be read further."""


class GzipWriter:
    """Compresses into a file that can be written from its start again.

    Args:
        stream: Where to; its head is written by `close`.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._crc = self._length = 0
        self._sha256 = hashlib.sha256()
        stream.write(bytes(HEAD_BYTES))

    def write(self, data: bytes) -> None:
        """Compress some bytes."""
        self._crc = zlib.crc32(data, self._crc)
        self._length += len(data)
        self._put(self._deflate.compress(data))

    def close(self) -> None:
        """Write what is left, and the head."""
        self._put(self._deflate.flush() + _tail(self._crc, self._length))
        self._stream.seek(0)
        self._stream.write(_head(self._sha256.digest()))

    def _put(self, data: bytes) -> None:
        self._sha256.update(data)
        self._stream.write(data)


class GzipReader:
    """Unpacks a file and notes what is wrong with it; `read` is what `tarfile` asks.

    Args:
        stream: The file, at its start.

    Attributes:
        sha256: Of the whole file, so far.
        content: sha256 of what it unpacks to, so far.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._crc = self._length = 0
        self._body, self.sha256, self.content = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
        self._ready = b""
        self._head = self._take(HEAD_BYTES)
        self._body = hashlib.sha256()
        self._first = b"" if self._ours else _after_head(self._head + self._take(_CHUNK))

    def read(self, size: int) -> bytes:
        """Return the next bytes; fewer than asked for at the end only.

        Raises:
            BrokenArchiveError: It cannot be unpacked further.
        """
        parts, wanted = [], size
        while wanted > 0 and (part := self._some(wanted)):
            parts.append(part)
            wanted -= len(part)
        return b"".join(parts)

    def end(self) -> list[str]:
        """Read the rest and return what is wrong with the file itself, a sentence each.

        Raises:
            BrokenArchiveError: It cannot be unpacked further.
        """
        while self.read(_CHUNK):
            pass
        rest = self._inflate.unused_data
        while chunk := self._take(_CHUNK):
            rest = (rest + chunk)[: 2 * _CHUNK]  # its length beyond that is no matter
        return [*self._wrong_head(), *self._wrong_tail(rest)]

    def damage(self) -> list[str]:
        """Read the file to its end without unpacking it, and return what is wrong with it, a sentence each."""
        while self._take(_CHUNK):
            pass
        return self._wrong_head()

    @property
    def position(self) -> int:
        """Bytes of the file that were read."""
        return self._stream.tell()

    def _some(self, most: int) -> bytes:
        while not self._ready and not self._inflate.eof:
            chunk = self._inflate.unconsumed_tail or self._first or self._take(_CHUNK)
            self._first = b""
            try:
                self._ready = self._inflate.decompress(chunk, _CHUNK)
            except zlib.error as error:
                raise BrokenArchiveError(f"it cannot be unpacked ({error})") from None
            if not chunk and not self._ready and not self._inflate.eof:
                raise BrokenArchiveError("it ends too early")
            self._crc = zlib.crc32(self._ready, self._crc)
            self._length += len(self._ready)
            self.content.update(self._ready)
            if self._length > _MOST_BYTES:
                raise BrokenArchiveError(f"it unpacks to more than {_MOST_BYTES >> 30} GiB")
        part, self._ready = self._ready[:most], self._ready[most:]
        return part

    @property
    def _ours(self) -> bool:
        return len(self._head) == HEAD_BYTES and self._head == _head(self._head[-32:])

    def _take(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._body.update(data)
        self.sha256.update(data)
        return data

    def _wrong_head(self) -> list[str]:
        if not self._ours:
            return [
                "its gzip head is not as `workbench package` writes it: it was changed, or packed by another program"
            ]
        if (found := self._body.hexdigest()) != (said := self._head[-32:].hex()):
            return [f"its bytes after the head must have sha256 {said[:12]}… as the head says, got {found[:12]}…"]
        return []

    def _wrong_tail(self, rest: bytes) -> list[str]:
        if rest[:8] != _tail(self._crc, self._length):
            return ["its checksum is not that of what it unpacks to"]
        return ["there are bytes after its end"] if len(rest) > len(_tail(0, 0)) else []


def _head(digest: bytes) -> bytes:
    extra = _FIELD + struct.pack("<H", len(digest)) + digest
    return struct.pack("<BBBBIBBH", 0x1F, 0x8B, 8, _EXTRA, 0, 0, _UNKNOWN_SYSTEM, len(extra)) + extra


def _after_head(data: bytes) -> bytes:
    """Return what follows the head of another program's file (RFC 1952), so that its members can be checked too."""
    flags = data[3] if data[:3] == b"\x1f\x8b\x08" and len(data) >= _FIXED else 0
    rest = data[_FIXED:]
    if flags & _EXTRA:
        rest = rest[2 + int.from_bytes(rest[:2], "little") :]
    for text in (_NAME, _COMMENT):
        if flags & text:
            rest = rest.partition(b"\0")[2]
    return rest[2:] if flags & _HEAD_SUM else rest


def _tail(crc: int, length: int) -> bytes:
    return struct.pack("<II", crc, length & 0xFFFFFFFF)
