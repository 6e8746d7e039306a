"""A tf_keras model answered by TensorFlow; belongs into a job."""

from __future__ import annotations

import zipfile
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace
from workbench.evaluate.runtimes.base import Runtime, TensorSpec, require_ours, single

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from numpy.typing import NDArray

    from workbench.core.artifact import Artifact

_LONGEST_REASON = 200
_QUANTIZED = b'"QuantizeWrapper'


class TfKerasRuntime(Runtime):
    """Answers for a `.keras` file of tf_keras."""

    in_process: ClassVar[bool] = False

    def __init__(self, artifact: Artifact, threads: int) -> None:
        """Load the model; TensorFlow's threads are the process' own, so `threads` is only reported."""
        self._model = self._loaded(artifact)
        self.threads = threads
        self.inputs, self.outputs, self.made_for = single(
            [_spec(each) for each in self._model.inputs], [_spec(each) for each in self._model.outputs]
        )

    @staticmethod
    def _loaded(artifact: Artifact) -> Any:
        return load_model(artifact)

    def _run(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        return np.asarray(self._model(batch, training=False).numpy(), np.float32)

    def close(self) -> None:
        """Let go of the model."""
        del self._model


def load_model(artifact: Artifact) -> Any:
    """Return a fresh tf_keras model of an artifact, without optimizer or compilation.

    Code inside the file (a Lambda layer) runs only where the workspace has a note that a person vouched for this very
    file; what the manifest says of trust does not count, for it comes with the file.

    Raises:
        UntrustedModelError: The artifact is not of this workspace.
        WorkspaceError: The file is missing, truncated or changed.
        BadInputError: The artifact is of another format, or holds code that nobody vouched for.
    """
    if artifact.format != "tf_keras":
        raise BadInputError.of(
            "artifact", rule="must be a tf_keras model", got=artifact.label,
            hint="start from the model that it was made from",
        )  # fmt: skip
    return opened(artifact, _description)


def opened(artifact: Artifact, description: Callable[[Path], bytes]) -> Any:
    """Return a fresh tf_keras model of an archive or a legacy file.

    Args:
        artifact: Of the format `tf_keras` or `h5`.
        description: Reads what the file says of its layers, JSON.

    Raises:
        UntrustedModelError: The artifact is not of this workspace.
        WorkspaceError: The file is missing, truncated or changed.
        BadInputError: It holds code that nobody vouched for.
    """
    require_ours(artifact)
    import tf_keras
    from tf_keras.src.saving.serialization_lib import SafeModeScope

    artifact.verify()
    trusted = Workspace.default().trusts(artifact.sha256)
    try:
        # The scope is for legacy files, of which `safe_mode` is not asked.
        with _known_classes(description(artifact.path)), SafeModeScope(not trusted):
            return tf_keras.models.load_model(artifact.path, compile=False, safe_mode=not trusted)
    except Exception as error:
        # Keras raises whatever it meets; for code of its own that nobody vouched for, a ValueError.
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        raise BadInputError.of(
            artifact.file, rule="must be a model that tf_keras can load without running code of its own", got=reason,
            hint="if you know who made it, adopt it with trust=True",
        ) from error  # fmt: skip


def _description(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read("config.json")


def _known_classes(description: bytes) -> AbstractContextManager[Any]:
    """Let Keras find tfmot's classes where the file names them: importing tfmot costs a second."""
    if _QUANTIZED not in description:
        return nullcontext()
    from tensorflow_model_optimization.quantization import keras as quantization

    scope: AbstractContextManager[Any] = quantization.quantize_scope()
    return scope


def _spec(tensor: Any) -> TensorSpec:
    shape = tuple(-1 if axis is None else int(axis) for axis in tensor.shape)
    return TensorSpec(name=tensor.name.split(":")[0], dtype=tensor.dtype.name, shape=shape)
