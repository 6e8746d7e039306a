"""A gRPC server in a thread, and a client of it that uses our own messages."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np

from workbench.serve.control import NoControl
from workbench.serve.counters import Counters
from workbench.serve.grpc.messages import message
from workbench.serve.grpc.server import grpc_server, open_port
from workbench.serve.grpc.tensors import read_tensor, write_tensor
from workbench.serve.inference import Inference
from workbench.serve.limits import Limits
from workbench.serve.security.settings import Security

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from workbench.serve.models import Models

PREDICTION = "tensorflow.serving.PredictionService"
MODEL = "tensorflow.serving.ModelService"


class Refused(Exception):  # noqa: N818 - the outcome, not a fault
    """A call that ended with an error."""

    def __init__(self, code: str, details: str) -> None:
        super().__init__(f"{code}: {details}")
        self.code = code
        self.details = details


class Door:
    """A client of one server."""

    def __init__(self, channel: grpc.Channel, address: str, counters: Counters) -> None:
        self.channel = channel
        self.address = address
        self.counters = counters

    def raw(self, method: str, data: bytes, **options: Any) -> bytes:
        """Send bytes to `SERVICE/METHOD` and return those of the reply."""
        try:
            return bytes(self.channel.unary_unary(f"/{method}")(data, **{"timeout": 20, **options}))
        except grpc.RpcError as error:
            raise Refused(error.code().name, error.details()) from None

    def ask(self, service: str, method: str, request: Any, reply: str, **options: Any) -> Any:
        data = self.raw(f"{service}/{method}", request.SerializeToString(), **options)
        return message(f"tensorflow.serving.{reply}").FromString(data)

    def predict(self, request: Any, **options: Any) -> Any:
        return self.ask(PREDICTION, "Predict", request, "PredictResponse", **options)


@contextmanager
def door(
    models: Models,
    *,
    control: Any = None,
    manage: Callable[[Models], Awaitable[Any]] | None = None,
    limits: Limits | None = None,
    security: Security | None = None,
    credentials: grpc.ChannelCredentials | None = None,
    socket: str | None = None,
    client_options: tuple[tuple[str, Any], ...] = (),
    **options: Any,
) -> Iterator[Door]:
    """Serve models on a free port, or a Unix socket, until the block ends; `manage` makes a control in its loop."""
    inference = Inference(models, Counters(models.names()))
    given = security or Security()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="door", daemon=True)
    thread.start()

    async def start() -> tuple[grpc.aio.Server, str]:
        by = control or NoControl(models) if manage is None else await manage(models)
        server = grpc_server(inference, by, limits or Limits(), given, **options)
        if socket is not None:
            open_port(server, f"unix:{socket}", given)
        address = f"unix:{socket}" if socket else f"127.0.0.1:{open_port(server, '127.0.0.1:0', given)}"
        await server.start()
        return server, address

    async def stop() -> None:
        await server.stop(None)
        inference.close()

    server, address = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
    try:
        opening = (
            grpc.insecure_channel(address, options=client_options)
            if credentials is None
            else grpc.secure_channel(f"localhost:{address.rpartition(':')[2]}", credentials, options=client_options)
        )
        with opening as channel:
            yield Door(channel, address, inference.counters)
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()


def predict_request(model: str, *, signature: str = "", **inputs: Any) -> Any:
    """A `PredictRequest`; an input is an array, or a `TensorProto` as it shall be sent."""
    request = message("tensorflow.serving.PredictRequest")()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        if isinstance(value, np.ndarray):
            write_tensor(value, request.inputs[name])
        else:
            request.inputs[name].CopyFrom(value)
    return request


def outputs_of(reply: Any) -> dict[str, Any]:
    """The arrays of a `PredictResponse`."""
    return {name: read_tensor(proto, name, 1 << 30) for name, proto in reply.outputs.items()}
