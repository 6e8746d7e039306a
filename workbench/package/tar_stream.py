"""A tar whose bytes follow from names and contents alone: no owner, no time, no order of a file system."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_RECORD = tarfile.RECORDSIZE
BLOCK = tarfile.BLOCKSIZE


class TarStream:
    """Writes members one after the other.

    Args:
        write: Takes the bytes.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._length = 0

    def passing(self, name: str, size: int, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Write a file and hand its bytes on.

        Args:
            name: Its path.
            size: Its length in bytes.
            chunks: As many bytes as that.
        """
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o644
        self._put(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict"))
        for chunk in chunks:
            self._put(chunk)
            yield chunk
        self._put(bytes(-size % BLOCK))

    def close(self) -> None:
        """Write the end: two empty blocks, filled up to a whole record."""
        self._put(bytes(2 * BLOCK))
        self._put(bytes(-self._length % _RECORD))

    def _put(self, data: bytes) -> None:
        self._write(data)
        self._length += len(data)
