"""KServe's own SDK, both of its protocols, one worker; run as `kserve_server.py MODEL PORT`."""

import logging
import sys
from typing import Any

import kserve
import numpy as np
from kserve import InferOutput, InferRequest, InferResponse
from session import open_session


class DocsCnn(kserve.Model):
    """The file in onnxruntime."""

    def __init__(self, model: str) -> None:
        super().__init__("docs_cnn")
        self.session = open_session(model)
        self.ready = True

    async def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:
        """Answer a batch in the protocol that it came in."""
        del headers, response_headers
        if not isinstance(payload, InferRequest):
            (answers,) = self.session.run(None, {"image": np.array(payload["instances"], dtype=np.float32)})
            return {"predictions": answers.tolist()}
        (answers,) = self.session.run(None, {"image": payload.inputs[0].as_numpy()})
        output = InferOutput("probabilities", list(answers.shape), "FP32")
        output.set_data_from_numpy(answers, binary_data=bool(payload.use_binary_outputs))
        return InferResponse(payload.id or "", self.name, [output], use_binary_outputs=bool(payload.use_binary_outputs))


if __name__ == "__main__":
    model, port = sys.argv[1:]
    server = kserve.ModelServer(http_port=int(port), enable_grpc=False, workers=1, enable_latency_logging=False)
    logging.getLogger("kserve.trace").setLevel(logging.WARNING)  # it would write two lines a request
    server.start([DocsCnn(model)])
