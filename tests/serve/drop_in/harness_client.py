# A program of another environment, which has neither the types nor pytest.
# ruff: noqa: ANN001, ANN201, T201
"""What the original's own tests ask of a server, by `tensorflow-serving-api`; prints `fine`.

Its arguments: a check by name, the server's address, and what the check needs.
"""

from __future__ import annotations

import json
import sys
import urllib.request

import grpc
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

FLOAT = 1  # DT_FLOAT
SECONDS = 10


def ask_predict(address, name, *, signature="serving_default", filtered=False):
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = name, signature
    request.inputs["x"].dtype = FLOAT
    request.inputs["x"].float_val.append(2.0)
    request.inputs["x"].tensor_shape.dim.add().size = 1
    if filtered:
        request.output_filter.append("y")
    stub = prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel(address))
    reply = stub.Predict(request, SECONDS)
    assert reply.outputs["y"].dtype == FLOAT
    assert len(reply.outputs["y"].float_val) == 1
    assert spec(reply.model_spec) == (name, signature, 123)
    return reply.outputs["y"].float_val[0]


def spec(found):
    return found.name, found.signature_name, found.version.value


def check_half_plus(address, rest_port, socket):
    for where in (address, f"unix:{socket}"):
        for filtered in (True, False):
            assert ask_predict(where, "half_plus_two", filtered=filtered) == 3.0
            assert ask_predict(where, "half_plus_three", filtered=filtered) == 4.0
    channel = grpc.insecure_channel(address)
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    classify = classification_pb2.ClassificationRequest()
    regress = regression_pb2.RegressionRequest()
    both = inference_pb2.MultiInferenceRequest()
    for request in (classify, regress, both):
        example = request.input.example_list.examples.add()
        example.features.feature["x"].float_list.value.append(2.0)
    classify.model_spec.name, classify.model_spec.signature_name = "half_plus_two", "classify_x_to_y"
    regress.model_spec.name, regress.model_spec.signature_name = "half_plus_two", "regress_x_to_y"
    for one in (regress, classify):
        kind = "regress" if one is regress else "classify"
        task = both.tasks.add(method_name=f"tensorflow/serving/{kind}")
        task.model_spec.CopyFrom(one.model_spec)
    found = stub.Classify(classify, SECONDS)
    assert [[c.score for c in row.classes] for row in found.result.classifications] == [[3.0]]
    assert spec(found.model_spec) == ("half_plus_two", "classify_x_to_y", 123)
    found = stub.Regress(regress, SECONDS)
    assert [row.value for row in found.result.regressions] == [3.0]
    assert spec(found.model_spec) == ("half_plus_two", "regress_x_to_y", 123)
    results = stub.MultiInference(both, SECONDS).results
    assert results[0].regression_result.regressions[0].value == 3.0
    assert results[1].classification_result.classifications[0].classes[0].score == 3.0
    assert [spec(one.model_spec)[1] for one in results] == ["regress_x_to_y", "classify_x_to_y"]
    status = get_model_status_pb2.GetModelStatusRequest()
    status.model_spec.name = "half_plus_two"
    found = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(status, SECONDS)
    assert [(one.version, one.status.error_code) for one in found.model_version_status] == [(123, 0)]
    url = f"http://localhost:{rest_port}/v1/models/half_plus_two:predict"
    for sent, answered in (("instances", "predictions"), ("inputs", "outputs")):
        body = json.dumps({sent: [2.0, 3.0, 4.0]}).encode()
        reply = json.load(urllib.request.urlopen(urllib.request.Request(url, data=body)))
        assert reply == {answered: [3.0, 3.5, 4.0]}


def check_functions(address):
    assert ask_predict(address, "default") == 12.0
    assert ask_predict(address, "default", signature="custom_signature_key", filtered=True) == 2.0


if __name__ == "__main__":
    globals()[f"check_{sys.argv[1]}"](*sys.argv[2:])
    print("fine")
