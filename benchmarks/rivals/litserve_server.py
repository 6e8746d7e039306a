"""LitServe with one worker and one web process; run as `litserve_server.py MODEL PORT`."""

import sys
from typing import Any

import litserve
import numpy as np
from session import open_session


class DocsCnn(litserve.LitAPI):
    """The file in onnxruntime."""

    def setup(self, device: str) -> None:
        """Open the file."""
        del device
        self.session = open_session(sys.argv[1])

    def decode_request(self, request: dict[str, Any]) -> np.ndarray:
        """Read a batch."""
        return np.array(request["instances"], dtype=np.float32)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Answer a batch."""
        return self.session.run(None, {"image": x})[0]

    def encode_response(self, output: np.ndarray) -> dict[str, Any]:
        """Write the answer."""
        return {"predictions": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(DocsCnn(), accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1", port=int(sys.argv[2]), num_api_servers=1, log_level="warning", generate_client_file=False,
        access_log=False,
    )  # fmt: skip
