"""BentoML with a NumPy interface and one worker; run as `bentoml_server.py MODEL PORT`."""

import os
import sys
from pathlib import Path

import bentoml
import numpy as np
from session import open_session

FOLDER = Path(__file__).parent


@bentoml.service(workers=1, metrics={"enabled": False}, logging={"access": {"enabled": False}})
class DocsCnn:
    """The file in onnxruntime."""

    def __init__(self) -> None:
        self.session = open_session(os.environ["RIVAL_MODEL"])

    @bentoml.api
    def predict(self, instances: np.ndarray) -> np.ndarray:
        """Answer a batch."""
        (answers,) = self.session.run(None, {"image": instances.astype(np.float32)})
        return answers


if __name__ == "__main__":
    model, port = sys.argv[1:]
    place = ["--working-dir", str(FOLDER), "--host", "127.0.0.1", "--port", port]
    environment = {**os.environ, "RIVAL_MODEL": model, "BENTOML_DO_NOT_TRACK": "True"}
    program = str(Path(sys.executable).with_name("bentoml"))
    os.execve(program, [program, "serve", "bentoml_server:DocsCnn", *place], environment)  # noqa: S606 - the rival's own program
