# A program of another environment, which has neither the types nor pytest.
# ruff: noqa: ANN001, ANN201, T201
"""Asks a server by `tritonclient.http`, as a stranger would: `ADDRESS`."""

from __future__ import annotations

import sys

import numpy as np
import tritonclient.http as client
from tritonclient.utils import InferenceServerException, np_to_triton_dtype


def tensor(name, array, *, binary):
    one = client.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    one.set_data_from_numpy(array, binary_data=binary)
    return one


def refused(call):
    try:
        call()
    except InferenceServerException as error:
        return error
    raise AssertionError("it was not refused")


server = client.InferenceServerClient(sys.argv[1])
assert server.is_server_live()
assert server.is_server_ready()
assert server.is_model_ready("double")
assert server.is_model_ready("double", "3")
assert not server.is_model_ready("none")
assert not server.is_model_ready("double", "9")
assert "binary_tensor_data" in server.get_server_metadata()["extensions"]
metadata = server.get_model_metadata("double")
assert metadata["versions"] == ["3", "7"], metadata

x = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
for binary_in in (True, False):
    for binary_out in (True, False):
        for squeeze in (None, "gzip", "deflate"):
            result = server.infer(
                "double",
                [tensor("x", x, binary=binary_in)],
                outputs=[client.InferRequestedOutput("y", binary_data=binary_out)],
                request_id="q1",
                request_compression_algorithm=squeeze,
                response_compression_algorithm=squeeze,
            )
            assert np.array_equal(result.as_numpy("y"), 2 * x)
            assert result.get_response()["id"] == "q1"
# Where no output is named this client asks for all of them as bytes.
assert np.array_equal(server.infer("double", [tensor("x", x, binary=True)]).as_numpy("y"), 2 * x)
assert np.array_equal(server.infer("double", [tensor("x", x, binary=True)], model_version="3").as_numpy("y"), 30 * x)
both = [tensor("a", x[:, 0].copy(), binary=True), tensor("b", np.ones((300, 2), np.int64), binary=False)]
assert np.allclose(server.infer("pair", both).as_numpy("sum"), x[:, 0] + 2)
texts = np.array([b"a", "é".encode(), b""], dtype=object)
for binary in (True, False):
    assert list(server.infer("text", [tensor("s", texts, binary=binary)]).as_numpy("s")) == list(texts)
for datatype in ("float16", "float64", "int8", "uint64", "bool"):
    name = np_to_triton_dtype(np.dtype(datatype))
    values = np.array([0, 1, 1], datatype)
    assert np.array_equal(server.infer(name, [tensor("x", values, binary=True)]).as_numpy("x"), values)
raw = client.InferenceServerClient.generate_request_body([tensor("x", x, binary=True)])
assert raw
pending = [server.async_infer("double", [tensor("x", x, binary=True)]) for _ in range(8)]
assert all(np.array_equal(one.get_result().as_numpy("y"), 2 * x) for one in pending)

assert refused(lambda: server.infer("none", [tensor("x", x, binary=True)])).status() == "404"
assert refused(lambda: server.infer("double", [tensor("x", x[:, :1].copy(), binary=True)])).status() == "400"
assert refused(lambda: server.infer("double", [tensor("z", x, binary=True)])).status() == "400"
assert refused(lambda: server.get_model_metadata("none")).status() == "404"

index = {(row["name"], row["version"]): row["state"] for row in server.get_model_repository_index()}
assert (index["double", "7"], index["double", "9"]) == ("READY", "UNAVAILABLE")
server.unload_model("free")
assert not server.is_model_ready("free")
server.load_model("free")
assert server.is_model_ready("free")
assert refused(lambda: server.load_model("none")).status() == "404"
print("fine")
