"""MLServer with a custom runtime, inference in the server's own process; run as `mlserver_server.py MODEL PORT`."""

import asyncio
import sys

import uvloop
from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.codecs import NumpyCodec
from mlserver.settings import ModelParameters
from mlserver.types import InferenceRequest, InferenceResponse
from session import open_session


class Onnx(MLModel):
    """The file in onnxruntime."""

    async def load(self) -> bool:
        """Open the file."""
        self.session = open_session(self.settings.parameters.uri)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Answer a batch."""
        (answers,) = self.session.run(None, {"image": NumpyCodec.decode_input(payload.inputs[0])})
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("probabilities", answers)])


async def main(model: str, port: int) -> None:
    settings = Settings(
        host="127.0.0.1", http_port=port, grpc_port=port + 1, debug=False, parallel_workers=0, metrics_endpoint=None
    )
    one = ModelSettings(name="docs_cnn", implementation=Onnx, parameters=ModelParameters(uri=model))
    await MLServer(settings).start([one])


if __name__ == "__main__":
    uvloop.install()
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
