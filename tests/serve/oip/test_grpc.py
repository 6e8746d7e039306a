"""`inference.GRPCInferenceService` as it answers on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pytest

from tests.serve.oip.models import NUMBERS
from tests.serve.oip.running import Running, running
from workbench.serve.grpc.messages import message, service
from workbench.serve.oip.grpc_service import NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Call = Callable[..., Any]

F12 = np.array([1, 2], np.float32).tobytes()
FIELDS = {"B": "bool_contents", "I": "int_contents", "U": "uint_contents", "F": "fp32_contents"}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def call(server: Running) -> Iterator[Call]:
    """Call a method with the fields of its request; returns the reply, or the code and what it says."""
    methods = {method.name: method for method in service(NAME).methods}
    with grpc.insecure_channel(server.grpc) as channel:

        def ask(rpc: str, /, **fields: Any) -> Any:
            method = methods[rpc]
            request = message(method.input_type.full_name)(**fields)
            try:
                reply = channel.unary_unary(f"/{NAME}/{rpc}")(request.SerializeToString(), timeout=20)
            except grpc.RpcError as error:
                return error.code().name, error.details()
            return message(method.output_type.full_name).FromString(reply)

        yield ask


def tensor(name: str = "x", datatype: str = "FP32", shape: Any = (1, 2), **contents: Any) -> dict[str, Any]:
    found = {"name": name, "datatype": datatype, "shape": list(shape)}
    return {**found, "contents": contents} if contents else found


def infer(call: Call, model: str = "double", *inputs: dict[str, Any], raw: Any = (), **more: Any) -> Any:
    return call("ModelInfer", model_name=model, inputs=inputs, raw_input_contents=list(raw), **more)


def test_server(call: Call) -> None:
    assert call("ServerLive").live
    assert call("ServerReady").ready
    assert list(call("ServerMetadata").extensions) == ["binary_tensor_data", "model_repository"]


def test_model(call: Call) -> None:
    assert call("ModelReady", name="double").ready
    assert call("ModelReady", name="double", version="3").ready
    for name, version in (("double", "9"), ("double", "99"), ("none", ""), ("", "")):
        assert not call("ModelReady", name=name, version=version).ready
    metadata = call("ModelMetadata", name="double")
    assert list(metadata.versions) == ["3", "7"]
    assert (metadata.inputs[0].name, metadata.inputs[0].datatype, list(metadata.inputs[0].shape)) == (
        "x",
        "FP32",
        [-1, 2],
    )
    assert call("ModelMetadata", name="none") == ("NOT_FOUND", "Request for unknown model: 'none' is not found")
    assert call("ModelMetadata", name="double", version="x")[0] == "INVALID_ARGUMENT"


def test_raw_is_answered_with_raw(call: Call) -> None:
    reply = infer(call, "double", tensor(), raw=[F12], id="q1")
    assert (reply.model_name, reply.model_version, reply.id) == ("double", "7", "q1")
    assert np.frombuffer(reply.raw_output_contents[0], np.float32).tolist() == [2, 4]
    assert not reply.outputs[0].HasField("contents")
    assert infer(call, "double", tensor(), raw=[F12], model_version="3").raw_output_contents[0] != F12


def test_contents_are_answered_with_contents(call: Call) -> None:
    reply = infer(call, "double", tensor(fp32_contents=[1, 2]))
    assert list(reply.outputs[0].contents.fp32_contents) == [2, 4]
    assert not reply.raw_output_contents


@pytest.mark.parametrize("datatype", sorted(NUMBERS))
def test_every_datatype_comes_back_as_it_went(call: Call, datatype: str) -> None:
    values = np.array([0, 1, 1], NUMBERS[datatype])
    reply = infer(call, datatype, tensor("x", datatype, [3]), raw=[values.tobytes()])
    assert list(reply.raw_output_contents) == [values.tobytes()]
    if datatype == "FP16":  # it has no typed contents
        assert infer(call, datatype, tensor("x", datatype, [1], fp32_contents=[1]))[0] == "INVALID_ARGUMENT"
        return
    bits = datatype.lstrip("UINTFPBOL")
    field = (
        {"64": {"I": "int64_contents", "U": "uint64_contents", "F": "fp64_contents"}[datatype[0]]}
        if bits == "64"
        else {}
    )
    name = field.get(bits, FIELDS[datatype[0]])
    reply = infer(call, datatype, tensor("x", datatype, [3], **{name: values.tolist()}))
    assert list(getattr(reply.outputs[0].contents, name)) == values.tolist()


def test_texts(call: Call) -> None:
    reply = infer(call, "text", tensor("s", "BYTES", [2], bytes_contents=[b"a", b"\xff"]))
    assert list(reply.outputs[0].contents.bytes_contents) == [b"a", b"\xff"]
    reply = infer(call, "text", tensor("s", "BYTES", [1]), raw=[b"\1\0\0\0a"])
    assert list(reply.raw_output_contents) == [b"\1\0\0\0a"]


def test_many_texts_are_read_beside_the_loop(call: Call) -> None:
    sent = [b"%d" % number for number in range(20_000)]
    reply = infer(call, "text", tensor("s", "BYTES", [len(sent)], bytes_contents=sent))
    assert list(reply.outputs[0].contents.bytes_contents) == sent


def test_choice_of_outputs(call: Call) -> None:
    inputs = (tensor("b", "INT64", int64_contents=[2, 3]), tensor("a", shape=[1], fp32_contents=[1]))
    assert [one.name for one in infer(call, "pair", *inputs).outputs] == ["sum", "b"]
    assert [one.name for one in infer(call, "pair", *inputs, outputs=[{"name": "b"}]).outputs] == ["b"]


BAD: list[tuple[str, tuple[dict[str, Any], ...], dict[str, Any], str, str]] = [
    ("double", (tensor(fp32_contents=[1, 2]),), {"raw": [F12]}, "INVALID_ARGUMENT", "contents field must not be"),
    ("double", (tensor(),), {}, "INVALID_ARGUMENT", "must have 2 elements, got 0"),
    ("double", (tensor(),), {"raw": [F12, F12]}, "INVALID_ARGUMENT", "expected 1 raw_input_contents"),
    ("pair", (tensor("a", shape=[1]), tensor("b", "INT64")), {"raw": [F12[:4]]}, "INVALID_ARGUMENT", "unable to find"),
    ("double", (tensor(),), {"raw": [F12[:4]]}, "INVALID_ARGUMENT", "Expected 8, got 4"),
    ("double", (tensor(fp32_contents=[1, 2, 3]),), {}, "INVALID_ARGUMENT", "must have 2 elements, got 3"),
    ("double", (tensor(int_contents=[1, 2]),), {}, "INVALID_ARGUMENT", "unexpected explicit tensor data"),
    ("double", (tensor(shape=(-1, 2)),), {"raw": [F12]}, "INVALID_ARGUMENT", "whole numbers"),
    ("double", (tensor(shape=(1 << 62, 2)),), {"raw": [F12]}, "INVALID_ARGUMENT", "size mismatch"),
    ("double", (tensor(datatype="INT32"),), {"raw": [F12]}, "INVALID_ARGUMENT", "data-type is 'INT32'"),
    ("double", (tensor("z"),), {"raw": [F12]}, "INVALID_ARGUMENT", "unexpected inference input 'z'"),
    ("double", (tensor(), tensor()), {"raw": [F12, F12]}, "INVALID_ARGUMENT", "already exists"),
    (
        "double",
        (tensor(),),
        {"raw": [F12], "outputs": [{"name": "q"}]},
        "INVALID_ARGUMENT",
        "unexpected inference output",
    ),
    ("double", (tensor(),), {"raw": [F12], "model_version": "-1"}, "INVALID_ARGUMENT", "version"),
    ("double", (tensor(),), {"raw": [F12], "model_version": "99"}, "NOT_FOUND", "version 99 is not found"),
    ("none", (tensor(),), {"raw": [F12]}, "NOT_FOUND", "Request for unknown model: 'none' is not found"),
    ("UINT8", (tensor("x", "UINT8", [1], uint_contents=[300]),), {}, "INVALID_ARGUMENT", "between 0 and 255"),
    ("crash", (tensor("f", shape=[1, 1], fp32_contents=[1]),), {}, "INTERNAL", "The model failed to run"),
    (
        *("double", (tensor(),)),
        {"raw": [F12], "outputs": [{"name": "y", "parameters": {"classification": {"int64_param": 1}}}]},
        *("UNIMPLEMENTED", "classification"),
    ),
]


@pytest.mark.parametrize(("model", "inputs", "more", "code", "part"), BAD)
def test_refused(call: Call, model: str, inputs: Any, more: dict[str, Any], code: str, part: str) -> None:
    got, details = infer(call, model, *inputs, **more)
    assert (got, part in details, "secret" in details) == (code, True, False), details


@pytest.mark.parametrize("field", ["first_name", "second_name"])  # as KServe sends it, as Triton does
def test_repository(call: Call, field: str) -> None:
    assert call("RepositoryModelUnload", **{field: "free"}).is_unloaded
    rows = {(one.name, one.version): one.state for one in call("RepositoryIndex").models}
    assert (rows["free", "7"], rows["double", "7"], rows["double", "9"]) == ("UNAVAILABLE", "READY", "UNAVAILABLE")
    assert not call("ServerReady").ready
    reply = call("RepositoryModelLoad", **{field: "free"})
    assert (reply.model_name, reply.is_loaded) == ("free", True)
    assert {one.state for one in call("RepositoryIndex", ready=True).models} == {"READY"}
    assert call("RepositoryModelLoad", **{field: "none"})[0] == "NOT_FOUND"


def test_counts(call: Call, server: Running) -> None:
    before = server.counters.stats("INT8", "7").requests
    infer(call, "INT8", tensor("x", "INT8", [1]), raw=[b"\1"])
    infer(call, "INT8", tensor("x", "INT8", [1]), raw=[b"\1\1"])
    after = server.counters.stats("INT8", "7")
    assert (after.requests - before, after.errors) == (2, 1)
