"""How long `import workbench` takes in a process of its own, against an empty interpreter, in pairs."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

PAIRS = 15
TARGET_S = 0.3
IMPORT = "import workbench, sys; assert 'tensorflow' not in sys.modules"
USE = "from workbench import Artifact, Gate, load_dataset, attach, MagnitudePruning"


def seconds(code: str) -> float:
    """Wall seconds of one interpreter that runs `code`."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - started


def main(output: Path) -> None:
    rows = []
    for name, code in (("`import workbench`", IMPORT), ("the same and its public names", f"{IMPORT}; {USE}")):
        seconds(code)  # bytecode and page cache
        extra = [seconds(code) - seconds("pass") for _ in range(PAIRS)]
        median = statistics.median(extra)
        rows.append(
            {
                "figure": f"{name}, no TensorFlow",
                "target": f"≤ {TARGET_S} s",
                "measured": f"{median:.3f} s (median of {PAIRS}, interpreter's own start taken off)",
                "met": median <= TARGET_S,
            }
        )
    output.write_text(json.dumps(rows), encoding="utf-8")
    for row in rows:
        print(row["figure"], row["measured"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
