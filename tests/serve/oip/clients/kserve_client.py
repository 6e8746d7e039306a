# A program of another environment, which has neither the types nor pytest.
# ruff: noqa: ANN001, ANN201, PT017, T201
"""Asks a server by KServe's clients, as a stranger would: `HTTP_ADDRESS GRPC_ADDRESS`."""

from __future__ import annotations

import asyncio
import sys

import httpx
import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig

HTTP, GRPC = f"http://{sys.argv[1]}", sys.argv[2]
X = np.array([[1, 2], [3, 4]], np.float32)


def request(model="double", *, binary):
    one = InferInput("x", list(X.shape), "FP32")
    one.set_data_from_numpy(X, binary_data=binary)
    return InferRequest(model_name=model, infer_inputs=[one], request_id="q1")


async def v1():
    client = InferenceRESTClient(RESTConfig(protocol="v1"))
    assert await client.is_server_live(HTTP)
    assert await client.is_model_ready(HTTP, "double")
    reply = await client.infer(HTTP, {"instances": X.tolist()}, model_name="double")
    assert reply == {"predictions": (2 * X).tolist()}, reply
    try:
        await client.is_model_ready(HTTP, "none")
    except httpx.HTTPStatusError as error:
        assert error.response.status_code == 404
    await client.close()


async def v2():
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await client.is_server_live(HTTP)
    assert await client.is_server_ready(HTTP)
    assert await client.is_model_ready(HTTP, "double")
    assert not await client.is_model_ready(HTTP, "none")
    for binary in (False, True):
        reply = await client.infer(HTTP, request(binary=binary), model_name="double")
        assert np.array_equal(reply.outputs[0].as_numpy(), 2 * X)
    assert (reply.id, reply.model_name) == ("q1", "double")  # this client does not read the version
    try:
        await client.infer(HTTP, request(model="none", binary=False), model_name="none")
    except httpx.HTTPStatusError as error:
        assert (error.response.status_code, "unknown model" in str(error)) == (404, True)
    await client.close()


async def grpc():
    client = InferenceGRPCClient(GRPC)
    assert await client.is_server_live()
    assert await client.is_server_ready()
    assert await client.is_model_ready("double")
    assert not await client.is_model_ready("none")
    for binary in (False, True):
        reply = await client.infer(request(binary=binary))
        assert np.array_equal(reply.outputs[0].as_numpy(), 2 * X)
        assert (reply.id, reply.model_version) == ("q1", "7")
    await client.close()


async def main():
    await v1()
    await v2()
    await grpc()
    print("fine")


asyncio.run(main())
