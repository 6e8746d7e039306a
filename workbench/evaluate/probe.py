"""Open a file that nobody vouches for in a process that may die of it, before this one opens it.

Native parsers crash on damaged files, and take the whole process with them. A probe is a small job: a forked child
that opens the model, has it answer once and ends. What passed is noted, so that a model is probed once a workspace.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, JobFailedError, WorkbenchError
from workbench.core.workspace import Workspace, write_atomic

if TYPE_CHECKING:
    from workbench.jobs.stage import StageContext

STAGE = "workbench.evaluate.probe:run"
# Formats that engines open in the kernel; the others are opened by jobs, and only in their workspace.
_PROBED = ("onnx", "tflite", "c_array", "packed")
_SECONDS = 60.0
_BYTES_ALWAYS, _BYTES_A_BYTE = 2 * 2**30, 8
_OPEN_AXIS = 32
# What engines say where they get no more memory.
_MEMORY = re.compile(r"bad_alloc|[Aa]llocat|[Mm]emory")
_SERVER = "workbench.serve.worker"
_END = re.compile(r"was killed by \w+|ended with exit code -?\d+|took (?:longer|more memory) than its limit of \S+ \w+")


def require_probed(artifact: Artifact) -> None:
    """Have a model that is not of this workspace opened by a probe first, unless this process is one to die of it.

    Args:
        artifact: Its file was checked against its manifest.

    Raises:
        BadInputError: The probe crashed, hung, took too much memory, or could not open it.
    """
    if artifact.format not in _PROBED or _expendable():
        return
    workspace = Workspace.default()
    passed = workspace.cache / "probed" / artifact.sha256
    if workspace.holds(artifact.folder) or passed.is_file():
        return
    from workbench.jobs import finish, submit

    asked = {"folder": str(artifact.folder.absolute()), "sha256": artifact.sha256}
    size = artifact.path.stat().st_size
    limits = {"seconds": _SECONDS, "memory_bytes": float(_BYTES_ALWAYS + _BYTES_A_BYTE * size)}
    try:
        finish(submit(STAGE, asked | limits, kind="probe", workspace=workspace, reuse=False, limits=limits))
    except JobFailedError as error:
        raise verdict_on(artifact.path, error) from error
    write_atomic(passed, "")


def run(context: StageContext) -> None:
    """Open a model in a job and have it answer noise."""
    from workbench.evaluate.runtimes.base import open_runtime

    limit_memory(context.settings["memory_bytes"])
    artifact = Artifact.load(context.settings["folder"])
    if artifact.sha256 != context.settings["sha256"]:
        artifact.verify(context.settings["sha256"])
    with open_runtime(artifact) as runtime:
        spec = runtime.inputs[0]
        batch = max(spec.shape[0], 1) if spec.shape else 1
        noise = np.random.default_rng(0).random((batch, *(axis if axis > 0 else _OPEN_AXIS for axis in spec.shape[1:])))
        try:
            runtime.predict(noise)
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            # What it says to a length that it was not made for is for those who give it real data.
            if -1 in spec.shape[1:] and not isinstance(error, MemoryError) and not _MEMORY.search(reason):
                return
            raise BadInputError.of(str(artifact.path), rule="must answer a batch of noise", got=reason) from error


def limit_memory(more: float) -> None:
    """Refuse this process more than so many bytes on top of what it has; where the system cannot, who watches does.

    A claim of gigabytes then fails in the call that makes it, not when the watcher looks next.
    """
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + int(more), most))


def verdict_on(path: Path, error: JobFailedError) -> WorkbenchError:
    """Return what is to be said of a file whose reader failed: its process' end is the file's fault, all else ours."""
    found = _END.search(str(error))
    if found is None:
        return error
    return BadInputError(
        f"{path} must be a model that can be opened, but the process that read it {found[0]}; do not use it."
    )


def _expendable() -> bool:
    """Say whether this process is a job, a serving child or another process that somebody waits for the end of."""
    main = getattr(sys.modules.get("__main__"), "__spec__", None)
    return multiprocessing.parent_process() is not None or getattr(main, "name", "") == _SERVER
