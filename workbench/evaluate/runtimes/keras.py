"""A Keras 3 model answered by its TensorFlow backend; belongs into a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace
from workbench.evaluate.runtimes.base import Runtime, TensorSpec, require_ours, single

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.core.artifact import Artifact

_LONGEST_REASON = 200


class KerasRuntime(Runtime):
    """Answers for a `.keras` file of Keras 3."""

    in_process: ClassVar[bool] = False

    def __init__(self, artifact: Artifact, threads: int) -> None:
        """Load the model; TensorFlow's threads are the process' own, so `threads` is only reported."""
        self._model = load_keras3(artifact)
        self.threads = threads
        self.inputs, self.outputs, self.made_for = single(
            [_spec(each) for each in self._model.inputs], [_spec(each) for each in self._model.outputs]
        )

    def _run(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        return np.asarray(self._model(batch, training=False), np.float32)

    def close(self) -> None:
        """Let go of the model."""
        del self._model


def load_keras3(artifact: Artifact) -> Any:
    """Return a fresh Keras 3 model of an artifact, without optimizer or compilation.

    Code inside the file runs only where the workspace has a note that a person vouched for this very file.

    Raises:
        UntrustedModelError: The artifact is not of this workspace.
        WorkspaceError: The file is missing, truncated or changed.
        BadInputError: It holds code that nobody vouched for, has no inputs to speak of, or Keras has another backend.
    """
    require_ours(artifact)
    import keras

    if keras.backend.backend() != "tensorflow":
        raise BadInputError.of(
            "KERAS_BACKEND", rule="must be tensorflow where jobs run", got=keras.backend.backend(),
            hint="unset it, stop the cluster and ask again",
        )  # fmt: skip
    artifact.verify()
    trusted = Workspace.default().trusts(artifact.sha256)
    try:
        model = keras.models.load_model(artifact.path, compile=False, safe_mode=not trusted)
    except Exception as error:
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        raise BadInputError.of(
            artifact.file, rule="must be a model that Keras 3 can load without running code of its own", got=reason,
            hint="if you know who made it, adopt it with trust=True",
        ) from error  # fmt: skip
    if not getattr(model, "inputs", None):
        raise BadInputError.of(
            artifact.file, rule="must say what goes in", got=f"{type(model).__name__} {model.name}",
            hint="save a Sequential with keras.Input, or a functional model",
        )  # fmt: skip
    return model


def _spec(tensor: Any) -> TensorSpec:
    shape = tuple(-1 if axis is None else int(axis) for axis in tensor.shape)
    return TensorSpec(name=tensor.name, dtype=str(tensor.dtype), shape=shape)
