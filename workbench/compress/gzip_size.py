"""The exact length of a gzip'd file, again and again while parts of it change."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

# Header and trailer of the format, which `Artifact.sizes` writes without a name.
_FRAME = 18
_PIECE = 1 << 16
# Each mark holds a quarter of a megabyte of zlib's state.
_MARKS = 16


class _Mark(NamedTuple):
    """A stretch of the file, and zlib and the bytes it gave as they were behind it."""

    stretch: bytes
    behind: Any
    total: int


class GzipSize:
    """Measures one file after another; what comes before the first change is not packed again."""

    def __init__(self) -> None:
        self._marks: tuple[_Mark, ...] = ()

    def of(self, data: bytes, stop: Callable[[], bool] = lambda: False) -> int | None:
        """Return how long `data` is gzip'd at level 9, as `Artifact.sizes` measures it.

        Args:
            data: The file.
            stop: Asked between two pieces whether nobody wants to know any more.

        Returns:
            The length; None where it was stopped.
        """
        step = max(_PIECE, -(-len(data) // _MARKS))
        stretches = [data[start : start + step] for start in range(0, len(data), step)]
        marks = self._unchanged(stretches)
        packer = marks[-1].behind.copy() if marks else zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        total = marks[-1].total if marks else _FRAME
        for stretch in stretches[len(marks) :]:
            for start in range(0, len(stretch), _PIECE):
                if stop():
                    return None
                total += len(packer.compress(stretch[start : start + _PIECE]))
            marks.append(_Mark(stretch, packer.copy(), total))
        # Another thread may have measured meanwhile: either's marks are right.
        self._marks = tuple(marks)
        return total + len(packer.flush())

    def _unchanged(self, stretches: list[bytes]) -> list[_Mark]:
        known = []
        for mark, stretch in zip(self._marks, stretches, strict=False):
            if mark.stretch != stretch:
                break
            known.append(mark)
        return known
