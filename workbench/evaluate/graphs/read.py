"""Read the graph of an artifact whose file is what its manifest says, a foreign one in a process of its own first."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, WorkbenchError
from workbench.core.workspace import Workspace
from workbench.evaluate.graphs.base import readers
from workbench.evaluate.probe import limit_memory

if TYPE_CHECKING:
    from workbench.evaluate.graphs.base import ModelGraph

_LONGEST_REASON = 200
_MOST_NODES = 100_000
_SECONDS = 60
_BYTES_ALWAYS, _BYTES_A_BYTE = 2**30, 16
_HINTS = {
    "torch": "convert it to onnx and compare that",
    "c_array": "compare the .tflite file that it was made from",
}


def read_graph(artifact: Artifact) -> ModelGraph:
    """Read the graph of a model file, after it was checked against its manifest.

    HDF5 crashes on some damaged files, and a flatbuffer can claim billions of tensors: what is not of this workspace
    is read in a process of its own first, with limits on time and memory.

    Raises:
        BadInputError: The file cannot be read, or its format has no graph to read.
        WorkspaceError: The file is missing, truncated or changed.
        MissingExtraError: A Keras file needs h5py.
    """
    artifact.verify()
    if artifact.format in _HINTS:
        raise BadInputError.of(
            "artifact", rule=f"must be one of {', '.join(readers.names())} to be read as a graph", got=artifact.format,
            hint=_HINTS[artifact.format],
        )  # fmt: skip
    # Somebody waits for the end of a job's process.
    if not Workspace.default().holds(artifact.folder) and multiprocessing.parent_process() is None:
        _try_elsewhere(artifact)
    return _read(artifact)


def _read(artifact: Artifact) -> ModelGraph:
    try:
        with np.errstate(all="ignore"):  # of numbers that are none
            graph = readers.get(artifact.format)().read(artifact.path)
    except (WorkbenchError, ImportError):
        raise
    except Exception as error:
        # Parsers raise their own kinds (protobuf, struct, zip, HDF5, LookupError, …) for a file they cannot read.
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        raise _unreadable(artifact, reason) from error
    if not graph.nodes or len(graph.nodes) > _MOST_NODES:
        raise BadInputError.of(
            artifact.file, rule=f"must have 1 to {_MOST_NODES:,} nodes to be read as a graph", got=len(graph.nodes)
        )
    return graph


def _try_elsewhere(artifact: Artifact) -> None:
    command = [sys.executable, "-m", __name__, str(artifact.folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)  # noqa: S603 - ours
    except subprocess.TimeoutExpired:
        raise _unreadable(artifact, f"reading it takes more than {_SECONDS} s") from None
    if done.returncode < 0:
        raise _unreadable(artifact, f"reading it ends the process with signal {-done.returncode}")
    if "MemoryError" in done.stderr:
        raise _unreadable(artifact, "reading it takes more memory than a file of its size may")


def _unreadable(artifact: Artifact, reason: str) -> BadInputError:
    return BadInputError.of(
        artifact.file, rule=f"must be a whole {artifact.format} file to be read as a graph", got=reason,
        hint="make it again",
    )  # fmt: skip


def main(folder: str) -> None:
    """Read a graph and throw it away; how this process ends is the answer."""
    artifact = Artifact.load(folder)
    size = sum(file.stat().st_size for file in (artifact.path, *artifact.path.rglob("*")) if file.is_file())
    limit_memory(float(_BYTES_ALWAYS + _BYTES_A_BYTE * size))
    try:
        _read(artifact)
    except BadInputError as error:
        sys.exit("MemoryError" if isinstance(error.__cause__, MemoryError) else str(error))


if __name__ == "__main__":
    main(str(Path(sys.argv[1])))
