"""A SavedModel answered by TensorFlow through its serving signature; belongs into a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from workbench.core.errors import BadInputError
from workbench.evaluate.runtimes.base import Runtime, TensorSpec, require_ours, single

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.core.artifact import Artifact


class SavedModelRuntime(Runtime):
    """Answers through `serving_default`, as TensorFlow Serving would."""

    in_process: ClassVar[bool] = False

    def __init__(self, artifact: Artifact, threads: int) -> None:
        """Load the graph; TensorFlow's threads are the process' own, so `threads` is only reported."""
        require_ours(artifact)
        import tensorflow as tf

        self._loaded = tf.saved_model.load(str(artifact.path))
        self._call = self._loaded.signatures.get("serving_default")
        if self._call is None:
            found = sorted(self._loaded.signatures)
            raise BadInputError.of(artifact.file, rule="must have a `serving_default` signature", got=found)
        self.threads = threads
        _, inputs = self._call.structured_input_signature
        self.inputs, self.outputs, self.made_for = single(
            [_spec(name, spec) for name, spec in inputs.items()],
            [_spec(name, spec) for name, spec in self._call.structured_outputs.items()],
        )

    def _run(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        import tensorflow as tf

        outputs = self._call(**{self.inputs[0].name: tf.constant(batch)})
        return np.asarray(outputs[self.outputs[0].name].numpy(), np.float32)

    def close(self) -> None:
        """Let go of the graph."""
        del self._call, self._loaded


def _spec(name: str, spec: object) -> TensorSpec:
    shape = spec.shape.as_list()  # type: ignore[attr-defined]
    return TensorSpec(
        name=name,
        dtype=spec.dtype.name,  # type: ignore[attr-defined]
        shape=tuple(-1 if axis is None else axis for axis in shape),
    )
