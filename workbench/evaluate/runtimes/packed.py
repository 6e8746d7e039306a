"""A packed model, answered by the runtime of the format inside."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from workbench.evaluate.packing.frame import format_of
from workbench.evaluate.packing.inside import unpack_to
from workbench.evaluate.runtimes.base import Runtime, require_ours, runtimes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.core.artifact import Artifact


_LAYERS = ("tf_keras", "keras")


class PackedRuntime(Runtime):
    """Unpacks into a private folder, which is gone as soon as the model is open; answers belong into a job.

    What is inside is known only when the file is opened, and may need TensorFlow.
    """

    in_process: ClassVar[bool] = False

    def __init__(self, artifact: Artifact, threads: int) -> None:
        """Unpack and open the model inside."""
        place = None
        if format_of(artifact.path.read_bytes()) in _LAYERS:
            # Their layers may run code, and what may is opened in the workspace only: unpacked beside the packed file.
            require_ours(artifact)
            place = artifact.folder
        with tempfile.TemporaryDirectory(dir=place, prefix=".unpacked-") as folder:
            inside = unpack_to(artifact, Path(folder))
            # It was written just now, and where a probe was needed it has seen the packed file.
            self._inside = runtimes.get(inside.format)(inside, threads)
        self.threads = threads
        self.inputs, self.outputs = self._inside.inputs, self._inside.outputs

    def _run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._inside.predict(batch)

    def close(self) -> None:
        """Let go of the model inside."""
        self._inside.close()
