"""What a process keeps of memory that was given back."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Blocks of many sizes, up to 24 MB, of which every other one goes; the first that goes is the largest.
HOLES = """
import sys, numpy as np, psutil
from workbench.core.memory import keep_little_free
if "keep" in sys.argv: keep_little_free()
del [np.ones(24 << 17)][0]
blocks = [np.ones((1 + n % 8) << 17) for n in range(64)]
del blocks[::2], blocks[:-1]
print(psutil.Process().memory_info().rss)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="says it of the GNU C library")
def test_what_was_freed_goes_back_though_something_after_it_stays() -> None:
    kept, given_back = (
        int(subprocess.run([sys.executable, "-c", HOLES, *how], check=True, capture_output=True, text=True).stdout)
        for how in ((), ("keep",))
    )
    assert given_back < kept - 100e6
