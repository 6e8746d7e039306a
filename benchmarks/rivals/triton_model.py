"""The model of Triton's Python back end: the file in onnxruntime, one thread."""

from typing import Any

import onnxruntime
import triton_python_backend_utils as triton


class TritonPythonModel:
    """Called by the server."""

    def initialize(self, args: dict[str, str]) -> None:
        """Open the file that the configuration names."""
        import json

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        file = json.loads(args["model_config"])["parameters"]["file"]["string_value"]
        self.session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer some requests."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:
        images = triton.get_input_tensor_by_name(request, "image").as_numpy()
        (answers,) = self.session.run(None, {"image": images})
        return triton.InferenceResponse([triton.Tensor("probabilities", answers)])
