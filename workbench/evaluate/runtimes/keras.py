"""A Keras 3 model answered by its TensorFlow backend; belongs into a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from workbench.core.workspace import Workspace
from workbench.evaluate.runtimes.base import Runtime, TensorSpec, require_one_in_one_out, require_ours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.core.artifact import Artifact


class KerasRuntime(Runtime):
    """Answers for a `.keras` file of Keras 3."""

    in_process: ClassVar[bool] = False

    def __init__(self, artifact: Artifact, threads: int) -> None:
        """Load the model; TensorFlow's threads are the process' own, so `threads` is only reported."""
        require_ours(artifact)
        import keras

        trusted = Workspace.default().trusts(artifact.sha256)
        self._model = keras.models.load_model(artifact.path, compile=False, safe_mode=not trusted)
        self.threads = threads
        self.inputs = tuple(_spec(each) for each in self._model.inputs)
        self.outputs = tuple(_spec(each) for each in self._model.outputs)
        require_one_in_one_out(self.inputs, self.outputs)

    def _run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(self._model(batch, training=False), np.float32)

    def close(self) -> None:
        """Let go of the model."""
        del self._model


def _spec(tensor: Any) -> TensorSpec:
    shape = tuple(-1 if axis is None else int(axis) for axis in tensor.shape)
    return TensorSpec(name=tensor.name, dtype=str(tensor.dtype), shape=shape)
