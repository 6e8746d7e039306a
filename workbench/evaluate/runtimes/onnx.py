"""ONNX Runtime on the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.evaluate.runtimes.base import Runtime, TensorSpec, single

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.core.artifact import Artifact


class OnnxRuntime(Runtime):
    """Answers for an `.onnx` file; safe to call from several threads at once."""

    def __init__(self, artifact: Artifact, threads: int) -> None:
        """Build the session with `threads` inside one operator and none spinning."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Threads that spin while they wait steal the cores of everything else on a small machine.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(artifact.path, options, providers=["CPUExecutionProvider"])
        self.threads = threads
        self.inputs, self.outputs, self.made_for = single(
            [_spec(each) for each in self._session.get_inputs()],
            [_spec(each) for each in self._session.get_outputs()],
        )

    def _run(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        (outputs,) = self._session.run([self.outputs[0].name], {self.inputs[0].name: batch})
        return np.asarray(outputs, np.float32)

    def close(self) -> None:
        """Free the session's memory."""
        del self._session


_DTYPES = {"float": "float32", "double": "float64"}


def _spec(node: object) -> TensorSpec:
    # `tensor(float)` is ONNX' name for float32; free axes come as names or None.
    element = node.type.removeprefix("tensor(").removesuffix(")")  # type: ignore[attr-defined]
    return TensorSpec(
        name=node.name,  # type: ignore[attr-defined]
        dtype=_DTYPES.get(element, element),
        shape=tuple(axis if isinstance(axis, int) else -1 for axis in node.shape),  # type: ignore[attr-defined]
    )
