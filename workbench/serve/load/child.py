"""The generator's process: `python -m workbench.serve.load.child JOB_FILE PARENT_PID`.

The job is a line of JSON (address, settings, lengths of the requests) and the requests behind it; the outcome goes to
standard output as JSON. A process of its own, so that a busy kernel does not measure itself.
"""

from __future__ import annotations

import contextlib
import gc
import json
import resource
import sys
from pathlib import Path

from workbench.serve.load.generator import Generator
from workbench.serve.load.settings import LoadSettings
from workbench.serve.parent import end_with

_SPARE_FILES = 64


def main(file: str, parent: str) -> None:
    """Run one job.

    Args:
        file: Path of the job.
        parent: Process id of the parent.
    """
    end_with(int(parent))
    head, _, rest = Path(file).read_bytes().partition(b"\n")
    job = json.loads(head)
    settings = LoadSettings.parse(job["settings"])
    requests, begin = [], 0
    for length in job["lengths"]:
        requests.append(rest[begin : begin + length])
        begin += length
    _allow_files(settings.connections + _SPARE_FILES)
    family, place = job["address"]
    gc.disable()  # the loop makes no cycles, and a pause would be charged to the server
    outcome = Generator((family, tuple(place)), requests, settings).run()
    json.dump(vars(outcome), sys.stdout)


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


if __name__ == "__main__":
    main(*sys.argv[1:])
