"""The model as every rival opens it: onnxruntime, one thread, no spinning."""

from __future__ import annotations

import onnxruntime


def open_session(path: str) -> onnxruntime.InferenceSession:
    """Open the file; `image` (n, 28, 28, 1) float32 -> `probabilities` (n, 10)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
