# A program of another environment, which has neither the types nor pytest.
# ruff: noqa: ANN001, ANN002, ANN003, ANN201, ANN202, PT017, T201
"""What a user of `tensorflow-serving-api` does; runs in an environment that has it and nothing of ours.

Its arguments: a check by name, the server's address, and what the check needs. It prints how much it checked.
"""

from __future__ import annotations

import sys
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

TYPES = (
    *("float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    "bool",
)
AS_BYTES = {"examples", "context"}  # messages that our side keeps as the bytes they are
AVAILABLE = get_model_status_pb2.ModelVersionStatus.AVAILABLE
END = get_model_status_pb2.ModelVersionStatus.END


class Client:
    def __init__(self, address: str, *, fresh: bool = False) -> None:
        # Channels with the same options share a connection.
        channel = grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", int(fresh))])
        self.address = address
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        self.model = model_service_pb2_grpc.ModelServiceStub(channel)

    def predict(self, name, version=None, label=None, signature="", **inputs):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = name
        request.model_spec.signature_name = signature
        if version is not None:
            request.model_spec.version.value = version
        if label is not None:
            request.model_spec.version_label = label
        for key, value in inputs.items():
            proto = value if hasattr(value, "tensor_shape") else tf.make_tensor_proto(value)
            request.inputs[key].CopyFrom(proto)
        return self.prediction.Predict(request, timeout=20)

    def outputs(self, *args, **kwargs):
        return {name: tf.make_ndarray(proto) for name, proto in self.predict(*args, **kwargs).outputs.items()}

    def states(self, name):
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = name
        return [(one.version, one.state) for one in self.model.GetModelStatus(request, timeout=20).model_version_status]

    def reload(self, *configs, metrics=()):
        request = model_management_pb2.ReloadConfigRequest(metric_names=metrics)
        request.config.model_config_list.SetInParent()
        for name, folder, versions, labels in configs:
            one = request.config.model_config_list.config.add()
            one.name, one.base_path, one.model_platform = name, folder, "tensorflow"
            if versions:
                one.model_version_policy.specific.versions.extend(versions)
            one.version_labels.update(labels)
        return self.model.HandleReloadConfigRequest(request, timeout=60)


def refused(code, words, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except grpc.RpcError as error:
        assert error.code() is code, error
        assert words in error.details(), error.details()
    else:
        raise AssertionError(f"must be refused: {words}")


def check_predict(client: Client) -> int:
    reply = client.predict("double", x=np.array([[1, 2], [3, 4.5]], np.float32))
    assert tf.make_ndarray(reply.outputs["y"]).tolist() == [[2, 4], [6, 9]]
    assert reply.model_spec.name == "double"
    assert reply.model_spec.version.value == 7
    assert reply.model_spec.signature_name == "serving_default"
    assert client.outputs("double", version=3, x=np.ones((1, 2), np.float32))["y"].tolist() == [[30, 30]]
    assert client.outputs("double", label="stable", x=np.ones((1, 2), np.float32))["y"].tolist() == [[30, 30]]
    for dtype in TYPES:
        for array in (np.array([[1, 0], [1, 1]]).astype(dtype), np.ones((1, 2), dtype), np.empty((0, 2), dtype)):
            found = client.outputs(dtype, x=array)["x"]
            assert found.dtype == array.dtype
            assert found.tolist() == array.tolist()
    filled = tf.make_tensor_proto(1.5, shape=[3, 2], dtype=tf.float32)  # one value for six elements
    assert client.outputs("float32", x=filled)["x"].tolist() == [[1.5, 1.5]] * 3
    assert client.outputs("texts", s=np.array([b"a", b"\xff", "é".encode()], object))["s"].tolist()[1] == b"\xff"
    assert client.outputs("scalar", v=np.float32(2.5))["v"].shape == ()
    both = client.outputs("pair", a=np.ones(2, np.float32), b=np.array([[1, 2], [3, 4]]))
    assert both["sum"].tolist() == [4, 8]
    code = grpc.StatusCode
    x = np.ones((1, 2), np.float32)
    refused(code.NOT_FOUND, "Servable", client.predict, "none", x=x)
    refused(code.NOT_FOUND, "Servable not found for request: Specific(double, 5)", client.predict, "double", 5, x=x)
    refused(code.INVALID_ARGUMENT, "Unrecognized servable version label", client.predict, "double", label="no", x=x)
    refused(code.FAILED_PRECONDITION, "not found", client.predict, "double", signature="no", x=x)
    refused(code.INVALID_ARGUMENT, "input size does not match signature", client.predict, "double")
    refused(code.INVALID_ARGUMENT, "", client.predict, "double", x=np.ones((1, 2), np.float64))
    refused(code.INVALID_ARGUMENT, "", client.predict, "double", x=np.ones((1, 3), np.float32))
    return len(TYPES)


def check_metadata(client: Client) -> int:
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "pair"
    reply = client.prediction.GetModelMetadata(request, timeout=20)
    found = get_model_metadata_pb2.SignatureDefMap()
    assert reply.metadata["signature_def"].Unpack(found)
    one = found.signature_def["serving_default"]
    assert one.method_name == "tensorflow/serving/predict"
    assert one.inputs["b"].dtype == tf.int64.as_datatype_enum
    assert tf.TensorShape(one.inputs["b"].tensor_shape).as_list() == [None, 2]
    assert client.states("double") == [(9, END), (7, AVAILABLE), (3, AVAILABLE)]
    request.ClearField("metadata_field")
    refused(grpc.StatusCode.INVALID_ARGUMENT, "metadata_field", client.prediction.GetModelMetadata, request)
    return len(found.signature_def)


def check_examples(client: Client) -> int:
    def example(value):
        feature = tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
        return tf.train.Example(features=tf.train.Features(feature={"x": feature}))

    examples = [example(1.0), example(2.5)]
    sizes = [one.ByteSize() for one in examples]
    classify = classification_pb2.ClassificationRequest()
    classify.model_spec.name = "examples"
    classify.input.example_list.examples.extend(examples)
    rows = client.prediction.Classify(classify, timeout=20).result.classifications
    assert [row.classes[0].label for row in rows] == [f"long {size}" for size in sizes]
    assert [row.classes[0].score for row in rows] == sizes
    regress = regression_pb2.RegressionRequest()
    regress.model_spec.name, regress.model_spec.signature_name = "examples", "value"
    regress.input.example_list_with_context.examples.extend(examples)
    regress.input.example_list_with_context.context.CopyFrom(example(0.5))
    values = client.prediction.Regress(regress, timeout=20).result.regressions
    assert [one.value for one in values] == [2 * size for size in sizes]
    several = inference_pb2.MultiInferenceRequest()
    several.input.example_list.examples.extend(examples)
    for signature, method in (("value", "regress"), ("", "classify")):
        task = several.tasks.add(method_name=f"tensorflow/serving/{method}")
        task.model_spec.name, task.model_spec.signature_name = "examples", signature
    results = client.prediction.MultiInference(several, timeout=20).results
    assert [one.WhichOneof("result") for one in results] == ["regression_result", "classification_result"]
    return len(results)


def check_reload(client: Client, base: str) -> int:
    first, second = f"{base}/first", f"{base}/second"
    x = np.ones((1, 2), np.float32)
    client.reload(("first", first, [1, 2], {}))
    # A label may be set when its version answers, not before.
    reply = client.reload(("first", first, [1, 2], {"stable": 1}), metrics=["/tensorflow/serving/request_count"])
    assert reply.status.error_code == 0
    assert [one.name for one in reply.metric] == ["/tensorflow/serving/request_count"]
    assert client.states("first") == [(2, AVAILABLE), (1, AVAILABLE)]
    assert client.outputs("first", label="stable", x=x)["y"].tolist() == [[1, 1]]
    assert client.outputs("first", x=x)["y"].tolist() == [[2, 2]]
    code = grpc.StatusCode
    refused(code.FAILED_PRECONDITION, "", client.reload, ("first", first, [1, 2], {"stable": 9}))
    assert client.outputs("first", label="stable", x=x)["y"].tolist() == [[1, 1]]
    client.reload(("first", first, [1, 2], {"stable": 2}), ("second", second, [], {}))
    assert client.outputs("first", label="stable", x=x)["y"].tolist() == [[2, 2]]
    assert client.outputs("second", x=x)["y"].tolist() == [[4, 4]]
    client.reload(("second", second, [], {}))
    refused(code.NOT_FOUND, "Servable not found", client.predict, "first", x=x)
    assert client.outputs("second", x=x)["y"].tolist() == [[4, 4]]
    empty = model_management_pb2.ReloadConfigRequest()
    refused(code.INVALID_ARGUMENT, "ModelConfigList", client.model.HandleReloadConfigRequest, empty)
    return len(client.states("second"))


def check_sandbox(client: Client, base: str) -> int:
    """A whole sandbox, with the same file as versions 1 and 2 of `tiny` and two workers."""
    image = np.arange(8, dtype=np.float32).reshape(2, 2, 2, 1)
    expected = tf.nn.softmax(image.reshape(2, 4)).numpy()
    one = ("tiny", base)
    # Every call has a connection of its own, so that both workers are asked.
    clients = [Client(client.address, fresh=True) for _ in range(12)]
    for each in clients:
        assert np.allclose(each.outputs("tiny", image=image)["probabilities"], expected, atol=1e-6)
        assert each.states("tiny")[0] == (2, AVAILABLE)
    client.reload((*one, [1, 2], {}))
    client.reload((*one, [1, 2], {"stable": 1, "canary": 2}))
    for each in clients:
        assert each.predict("tiny", label="stable", image=image).model_spec.version.value == 1
        assert each.predict("tiny", label="canary", image=image).model_spec.version.value == 2
    client.reload((*one, [2], {}))
    for each in clients:
        refused(grpc.StatusCode.NOT_FOUND, "Servable not found", each.predict, "tiny", version=1, image=image)
        refused(grpc.StatusCode.INVALID_ARGUMENT, "label", each.predict, "tiny", label="stable", image=image)
        assert each.predict("tiny", image=image).model_spec.version.value == 2
    return len(clients)


def check_wire(path: str) -> int:
    """Every message of ours has the names, numbers, types and packing of the real one; services too."""
    from tensorflow.core.protobuf import meta_graph_pb2
    from tensorflow_serving.apis import model_service_pb2, prediction_service_pb2
    from tensorflow_serving.config import model_server_config_pb2

    known = (meta_graph_pb2, model_server_config_pb2, model_service_pb2, prediction_service_pb2)
    assert all(one.DESCRIPTOR for one in known)  # what they describe is in the pool now
    pool, ours = descriptor_pool.Default(), descriptor_pool.DescriptorPool()
    files = descriptor_pb2.FileDescriptorSet.FromString(Path(path).read_bytes()).file
    compared = 0
    for file in files:
        ours.Add(file)
        if not file.package.startswith("tensorflow"):
            continue
        mine = ours.FindFileByName(file.name)
        for message in walk(mine.message_types_by_name.values()):
            compared += compare(message, pool.FindMessageTypeByName(message.full_name))
        for service in mine.services_by_name.values():
            real = pool.FindServiceByName(service.full_name)
            assert {form(one) for one in service.methods} == {form(one) for one in real.methods}
    return compared


def walk(messages):
    for message in messages:
        yield message
        yield from walk(message.nested_types)


def form(method):
    return method.name, method.input_type.full_name, method.output_type.full_name


def compare(mine, real) -> int:
    for field in mine.fields:
        other = real.fields_by_name[field.name]
        where = f"{mine.full_name}.{field.name}"
        assert field.number == other.number, where
        assert field.is_repeated == other.is_repeated, where
        assert field.is_packed == other.is_packed, where
        one, two = (each.containing_oneof.name if each.containing_oneof else "" for each in (field, other))
        assert one == two, where
        if field.name in AS_BYTES:
            assert (field.type, other.type) == (field.TYPE_BYTES, field.TYPE_MESSAGE), where
        elif field.name == "error_code":
            assert (field.type, other.type) == (field.TYPE_INT32, field.TYPE_ENUM), where
        else:
            assert field.type == other.type, where
        if field.enum_type is not None and field.name != "error_code":
            assert field.enum_type.values_by_name.keys() <= other.enum_type.values_by_name.keys(), where
            for value in field.enum_type.values:
                assert value.number == other.enum_type.values_by_name[value.name].number, value.name
    return len(mine.fields)


if __name__ == "__main__":
    check, *rest = sys.argv[1:]
    if check == "wire":
        print(check_wire(*rest))
    else:
        address, *more = rest
        print(globals()[f"check_{check}"](Client(address), *more))
