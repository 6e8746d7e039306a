"""Answer with a fitted model in this process: ONNX Runtime, no TensorFlow."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.artifact import Artifact

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BATCH = 256
_SESSIONS = 8


def probabilities(model: Artifact, samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return what an ONNX classifier answers.

    Args:
        model: The artifact; its file is checked when it is first opened.
        samples: (N, …), float32; images in [0, 1].

    Returns:
        (N, classes); each row adds up to 1.

    Raises:
        WorkspaceError: The file is missing, truncated or changed.
    """
    session = _session(str(model.folder), model.sha256)
    name = session.get_inputs()[0].name
    parts = [session.run(None, {name: samples[at : at + _BATCH]})[0] for at in range(0, len(samples), _BATCH)]
    # Softmax of float32 adds up to 1 within 1e-7 only, and who multiplies or takes logarithms expects better.
    found = np.concatenate(parts).astype(np.float64)
    return found / found.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]


# Kept here and not in whoever asks: sessions can neither be copied nor pickled.
@lru_cache(maxsize=_SESSIONS)
def _session(folder: str, sha256: str) -> Any:
    import onnxruntime

    model = Artifact.load(Path(folder)).verify(sha256)
    options = onnxruntime.SessionOptions()
    # Threads that spin while they wait steal the cores of everything else on a small machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.path, options, providers=["CPUExecutionProvider"])
