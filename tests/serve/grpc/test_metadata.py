"""How a version can be called, and the states of versions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.serve.grpc.door import MODEL, PREDICTION, Door, Refused
from workbench.serve.grpc.messages import enum_numbers, message

TYPES = enum_numbers("tensorflow.DataType")
STATES = {number: name for name, number in enum_numbers("tensorflow.serving.ModelVersionStatus.State").items()}


def metadata(small: Door, model: str, fields: tuple[str, ...] = ("signature_def",), version: int | None = None) -> Any:
    request = message("tensorflow.serving.GetModelMetadataRequest")(metadata_field=fields)
    request.model_spec.name = model
    if version is not None:
        request.model_spec.version.value = version
    return small.ask(PREDICTION, "GetModelMetadata", request, "GetModelMetadataResponse")


def signatures(reply: Any) -> Any:
    packed = reply.metadata["signature_def"]
    assert packed.type_url == "type.googleapis.com/tensorflow.serving.SignatureDefMap"
    return message("tensorflow.serving.SignatureDefMap").FromString(packed.value).signature_def


def test_signatures(small: Door) -> None:
    reply = metadata(small, "pair", version=7)
    assert (reply.model_spec.name, reply.model_spec.version.value, reply.model_spec.signature_name) == ("pair", 7, "")
    (name, one), *_ = signatures(reply).items()
    assert (name, one.method_name) == ("serving_default", "tensorflow/serving/predict")
    assert one.inputs.keys() == {"a", "b"}
    info = one.inputs["b"]
    assert (info.name, info.dtype) == ("b:0", TYPES["DT_INT64"])
    assert [dim.size for dim in info.tensor_shape.dim] == [-1, 2]
    assert one.outputs.keys() == {"sum", "b"}


def test_signatures_of_other_methods(small: Door) -> None:
    found = signatures(metadata(small, "examples"))
    assert found["value"].method_name == "tensorflow/serving/regress"
    assert found["serving_default"].method_name == "tensorflow/serving/classify"
    assert found["value"].inputs["inputs"].dtype == TYPES["DT_STRING"]


@pytest.mark.parametrize(
    ("model", "fields", "version", "code", "words"),
    [
        ("pair", (), None, "INVALID_ARGUMENT", "GetModelMetadataRequest must specify at least one metadata_field"),
        ("pair", ("size",), None, "INVALID_ARGUMENT", "Metadata field size is not supported"),
        ("none", ("signature_def",), None, "NOT_FOUND", "Servable not found for request: Latest(none)"),
        ("pair", ("signature_def",), 1, "NOT_FOUND", "Servable not found for request: Specific(pair, 1)"),
    ],
    ids=["no field", "another field", "unknown model", "unknown version"],
)
def test_refusals(small: Door, model: str, fields: Any, version: int | None, code: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        metadata(small, model, fields, version)
    assert (refused.value.code, refused.value.details) == (code, words)


@pytest.mark.parametrize(
    ("service", "method", "request_"),
    [
        (PREDICTION, "GetModelMetadata", "GetModelMetadataRequest"),
        (PREDICTION, "Classify", "ClassificationRequest"),
        (PREDICTION, "Regress", "RegressionRequest"),
        (MODEL, "GetModelStatus", "GetModelStatusRequest"),
    ],
)
def test_nobody_is_asked(small: Door, service: str, method: str, request_: str) -> None:
    with pytest.raises(Refused) as refused:
        small.ask(service, method, message(f"tensorflow.serving.{request_}")(), request_)
    assert (refused.value.code, refused.value.details) == ("INVALID_ARGUMENT", "Missing ModelSpec")


def status(small: Door, model: str, version: int | None = None, label: str = "") -> Any:
    request = message("tensorflow.serving.GetModelStatusRequest")()
    request.model_spec.name = model
    if version is not None:
        request.model_spec.version.value = version
    if label:
        request.model_spec.version_label = label
    return small.ask(MODEL, "GetModelStatus", request, "GetModelStatusResponse")


def test_states_of_all_versions_newest_first(small: Door) -> None:
    found = status(small, "double").model_version_status
    assert [(one.version, STATES[one.state]) for one in found] == [(9, "END"), (7, "AVAILABLE"), (3, "AVAILABLE")]
    assert (found[1].status.error_code, found[1].status.error_message) == (0, "")
    assert found[1].HasField("status")
    assert found[0].status.error_code == 2
    assert "cannot be run" in found[0].status.error_message
    assert "secret" not in found[0].status.error_message


def test_state_of_one_version(small: Door) -> None:
    assert [one.version for one in status(small, "double", 3).model_version_status] == [3]
    # As in the original a label is not looked at.
    assert [one.version for one in status(small, "double", label="none").model_version_status] == [9, 7, 3]


@pytest.mark.parametrize(
    ("model", "version", "words"),
    [
        ("none", None, "Could not find any versions of model none"),
        ("double", 5, "Could not find version 5 of model double"),
    ],
)
def test_states_of_nobody(small: Door, model: str, version: int | None, words: str) -> None:
    with pytest.raises(Refused) as refused:
        status(small, model, version)
    assert (refused.value.code, refused.value.details) == ("NOT_FOUND", words)
