# A program of another environment, which has neither the types nor pytest.
# ruff: noqa: ANN001, ANN201, T201
"""Asks by OpenVINO's `ovmsclient`, which speaks TensorFlow Serving's protocols: `REST_ADDRESS GRPC_ADDRESS`."""

from __future__ import annotations

import sys

import numpy as np
import ovmsclient


def refused(call):
    try:
        call()
    except ovmsclient.tfs_compat.base.errors.ModelServerError as error:
        return error
    raise AssertionError("it was not refused")


x = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
for client in (ovmsclient.make_http_client(sys.argv[1]), ovmsclient.make_grpc_client(sys.argv[2])):
    assert np.allclose(client.predict({"x": x}, "double", 7), 2 * x)
    assert np.allclose(client.predict({"x": x}, "double", 3), 30 * x)
    status = client.get_model_status("double", 7)
    assert status[7]["state"] == "AVAILABLE", status
    metadata = client.get_model_metadata("double", 7)
    if "inputs" in metadata:  # over HTTP this client hands the document on as it is
        assert metadata["inputs"] == {"x": {"shape": [-1, 2], "dtype": "DT_FLOAT"}}, metadata
    else:
        assert "serving_default" in metadata["metadata"]["signature_def"]["signature_def"]
    refused(lambda: client.predict({"x": x}, "none", 7))  # noqa: B023
    refused(lambda: client.predict({"x": x}, "double", 99))  # noqa: B023
print("fine")
