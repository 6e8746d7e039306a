"""Opening a file that nobody vouches for in a process that may die of it, before a server opens it.

Native parsers crash on damaged files, and take the whole process with them. What passed is noted in the workspace's
cache, where the probe of the rest of the library notes it too.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from workbench.core.artifact import content_sha256
from workbench.core.errors import BadInputError, WorkbenchError, WorkspaceError
from workbench.core.workspace import Workspace, write_atomic
from workbench.evaluate.probe import limit_memory
from workbench.serve.engines.base import ModelFile, open_file

_SECONDS = 60.0
_BYTES_ALWAYS, _BYTES_A_BYTE = 2 * 2**30, 8


def try_to_open(model: ModelFile) -> None:
    """Open a model in a process of its own, once a workspace.

    Raises:
        BadInputError: That process crashed, hung, took too much memory or could not open it.
    """
    passed = Workspace.default().cache / "probed" / f"{content_sha256(model.path)}.served"
    if passed.is_file():
        return
    command = [sys.executable, "-m", "workbench.serve.engines.trial", str(model.path), model.format]
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise _refused(model, f"took longer than its limit of {_SECONDS:g} s") from None
    if done.returncode:
        said = done.stdout.strip().splitlines()
        raise BadInputError(said[-1]) if said else _refused(model, f"ended with exit code {done.returncode}")
    with contextlib.suppress(WorkspaceError):  # tried again next time
        write_atomic(passed, "")


def _refused(model: ModelFile, how: str) -> BadInputError:
    return BadInputError(
        f"{model.path.name} must be a model that can be opened, but the process that read it {how}; do not use it."
    )


def main(path: str, format_: str) -> None:
    """Open a model and end; what is wrong with it is said on standard output."""
    model = ModelFile(Path(path), format_)
    limit_memory(_BYTES_ALWAYS + _BYTES_A_BYTE * model.path.stat().st_size)
    try:
        open_file(model, threads=1)
    except WorkbenchError as error:
        print(error, flush=True)  # noqa: T201 - how it tells its parent
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
