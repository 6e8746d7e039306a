# A program of another environment, which has neither the types nor pytest.
# ruff: noqa: ANN001, ANN201, T201
"""Asks a server by `tritonclient.grpc`, as a stranger would: `ADDRESS`."""

from __future__ import annotations

import sys

import numpy as np
import tritonclient.grpc as client
from tritonclient.utils import InferenceServerException, np_to_triton_dtype


def tensor(name, array):
    one = client.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    one.set_data_from_numpy(array)
    return one


def refused(call):
    try:
        call()
    except InferenceServerException as error:
        return error.status()
    raise AssertionError("it was not refused")


server = client.InferenceServerClient(sys.argv[1])
assert server.is_server_live()
assert server.is_server_ready()
assert server.is_model_ready("double", "7")
assert not server.is_model_ready("none")
assert "binary_tensor_data" in server.get_server_metadata().extensions
metadata = server.get_model_metadata("pair", as_json=True)
assert [one["datatype"] for one in metadata["inputs"]] == ["FP32", "INT64"], metadata

x = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
result = server.infer("double", [tensor("x", x)], request_id="q1", outputs=[client.InferRequestedOutput("y")])
assert np.array_equal(result.as_numpy("y"), 2 * x)
assert result.get_response().id == "q1"
assert np.array_equal(server.infer("double", [tensor("x", x)], model_version="3").as_numpy("y"), 30 * x)
texts = np.array([b"a", b"\xff\0", b""], dtype=object)
assert list(server.infer("text", [tensor("s", texts)]).as_numpy("s")) == list(texts)
for datatype in ("float16", "float64", "int8", "uint64", "bool"):
    name = np_to_triton_dtype(np.dtype(datatype))
    values = np.array([0, 1, 1], datatype)
    assert np.array_equal(server.infer(name, [tensor("x", values)]).as_numpy("x"), values)
assert np.array_equal(server.infer("double", [tensor("x", x)], compression_algorithm="gzip").as_numpy("y"), 2 * x)

assert refused(lambda: server.infer("none", [tensor("x", x)])) == "StatusCode.NOT_FOUND"
assert refused(lambda: server.infer("double", [tensor("x", x[:, :1].copy())])) == "StatusCode.INVALID_ARGUMENT"
assert refused(lambda: server.get_model_metadata("none")) == "StatusCode.NOT_FOUND"
assert refused(lambda: server.get_model_config("double")) == "StatusCode.UNIMPLEMENTED"

index = {(row.name, row.version): row.state for row in server.get_model_repository_index().models}
assert (index["double", "7"], index["double", "9"]) == ("READY", "UNAVAILABLE")
server.unload_model("free")
assert not server.is_model_ready("free")
server.load_model("free")
assert server.is_model_ready("free")
print("fine")
