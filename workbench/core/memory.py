"""Memory that was freed goes back to the system, instead of being kept for next time."""

from __future__ import annotations

import ctypes
import sys

# `malloc.h` of the GNU C library.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
# Above what one answer of a slider takes again and again, so that it need not ask the system each time.
_MOST_FREE_BYTES, _OWN_MAPPING_BYTES = 16 << 20, 4 << 20


def keep_little_free() -> None:
    """Bound what this process keeps of the memory that its arrays and sessions gave back.

    The GNU C library raises its bounds with the largest block that was ever freed, up to 64 MB in each thread's arena;
    arrays that come and go in several threads then leave holes that nothing else fits in. Setting the bounds once ends
    that. It holds for this process only: jobs, which train, keep the library's own way. Elsewhere nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # other C libraries have none
        mallopt(_MMAP_THRESHOLD, _OWN_MAPPING_BYTES)
        mallopt(_TRIM_THRESHOLD, _MOST_FREE_BYTES)
