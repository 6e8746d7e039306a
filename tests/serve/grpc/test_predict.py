"""Predict over gRPC: what is answered, and the original's codes and words where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.serve.grpc.door import PREDICTION, Door, Refused, door, outputs_of, predict_request
from tests.serve.grpc.models import NUMBERS, Gate, small_models
from workbench.serve.grpc.messages import message
from workbench.serve.limits import Limits
from workbench.serve.metrics import MetricsPage

if TYPE_CHECKING:
    from collections.abc import Callable

X = np.array([[1, 2], [3, 4.5]], np.float32)


def test_an_answer_says_who_gave_it(small: Door) -> None:
    reply = small.predict(predict_request("double", x=X))
    assert outputs_of(reply)["y"].tolist() == [[2, 4], [6, 9]]
    spec = reply.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("double", 7, "serving_default")
    assert list(reply.outputs["y"].float_val) == [2, 4, 6, 9]
    assert reply.outputs["y"].tensor_content == b""


def version(request: Any) -> None:
    request.model_spec.version.value = 3


def label(request: Any) -> None:
    request.model_spec.version_label = "stable"


@pytest.mark.parametrize("choose", [version, label])
def test_a_version_is_chosen(small: Door, choose: Callable[[Any], None]) -> None:
    request = predict_request("double", x=X)
    choose(request)
    reply = small.predict(request)
    assert outputs_of(reply)["y"][0].tolist() == [30, 60]
    assert reply.model_spec.version.value == 3


@pytest.mark.parametrize("dtype", NUMBERS)
def test_every_type_of_number(small: Door, dtype: str) -> None:
    array = np.array([[1, 0], [0, 1]]).astype(dtype)
    found = outputs_of(small.predict(predict_request(dtype, x=array)))["x"]
    assert found.dtype == array.dtype
    assert found.tolist() == array.tolist()


def test_strings_and_scalars(small: Door) -> None:
    texts = np.array([b"a", b"\xff\x00", b""], object)
    assert outputs_of(small.predict(predict_request("texts", s=texts)))["s"].tolist() == texts.tolist()
    reply = small.predict(predict_request("scalar", v=np.array(2.5, np.float32)))
    assert outputs_of(reply)["v"].shape == ()
    assert reply.outputs["v"].HasField("tensor_shape")


def test_an_empty_batch(small: Door) -> None:
    found = outputs_of(small.predict(predict_request("double", x=np.empty((0, 2), np.float32))))
    assert found["y"].shape == (0, 2)


def test_only_the_outputs_that_are_named(small: Door) -> None:
    request = predict_request("pair", a=np.ones(1, np.float32), b=np.array([[2, 3]]))
    assert outputs_of(small.predict(request)).keys() == {"sum", "b"}
    request.output_filter.append("b")
    assert {name: array.tolist() for name, array in outputs_of(small.predict(request)).items()} == {"b": [[2, 3]]}


A, B = np.ones(1, np.float32), np.array([[2, 3]])
REFUSALS: list[tuple[str, Any, Callable[[Any], Any], str, str]] = [
    ("no ModelSpec", predict_request("double"), lambda r: r.ClearField("model_spec"), "INVALID_ARGUMENT",
     "Missing ModelSpec"),
    ("no name", predict_request(""), lambda r: r.model_spec.SetInParent(), "INVALID_ARGUMENT",
     "ModelSpec has no name specified."),
    ("unknown model", predict_request("none", x=X), lambda _: None, "NOT_FOUND",
     "Servable not found for request: Latest(none)"),
    ("unknown version", predict_request("double", x=X), lambda r: setattr(r.model_spec.version, "value", 5),
     "NOT_FOUND", "Servable not found for request: Specific(double, 5)"),
    ("a version that failed", predict_request("double", x=X), lambda r: setattr(r.model_spec.version, "value", 9),
     "NOT_FOUND", "Servable not found for request: Specific(double, 9)"),
    ("version 0 is no other", predict_request("double", x=X), lambda r: r.model_spec.version.SetInParent(),
     "NOT_FOUND", "Servable not found for request: Specific(double, 0)"),
    ("unknown label", predict_request("double", x=X), lambda r: setattr(r.model_spec, "version_label", "new"),
     "INVALID_ARGUMENT", "Unrecognized servable version label: new"),
    ("unknown signature", predict_request("double", x=X, signature="none"), lambda _: None, "FAILED_PRECONDITION",
     'Serving signature key "none" not found.'),
    ("no inputs", predict_request("pair"), lambda _: None, "INVALID_ARGUMENT",
     "input size does not match signature: 0!=2 len({}) != len({a,b}). Sent extra: {}. Missing but required: {a,b}."),
    ("one too many", predict_request("double", x=X, z=X), lambda _: None, "INVALID_ARGUMENT",
     "input size does not match signature: 2!=1 len({x,z}) != len({x}). Sent extra: {z}. Missing but required: {}."),
    ("another name", predict_request("double", z=X), lambda _: None, "INVALID_ARGUMENT",
     ("Signature input alias: x(feed name: x:0) not found in request and no default value provided."
      " Inputs expected to be in the request {z}, or default input alias set: ")),
    ("unknown output", predict_request("pair", a=A, b=B), lambda r: r.output_filter.append("c"), "INVALID_ARGUMENT",
     "output tensor alias not found in signature: c Outputs expected to be in the set {b,sum}."),
    ("an output twice", predict_request("pair", a=A, b=B), lambda r: r.output_filter.extend(["b", "b"]),
     "INVALID_ARGUMENT", "duplicate output tensor alias: b"),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "edit", "code", "words"), [each[1:] for each in REFUSALS],
                         ids=[each[0] for each in REFUSALS])  # fmt: skip
def test_refusals(small: Door, request_: Any, edit: Callable[[Any], Any], code: str, words: str) -> None:
    sent = message("tensorflow.serving.PredictRequest")()
    sent.CopyFrom(request_)
    edit(sent)
    with pytest.raises(Refused) as refused:
        small.predict(sent)
    assert (refused.value.code, refused.value.details) == (code, words)


@pytest.mark.parametrize(
    ("model", "array"),
    [
        ("double", np.ones((1, 3), np.float32)),
        ("double", np.ones(2, np.float32)),
        ("double", np.ones((1, 2), np.float64)),
        ("double", np.array([[b"a", b"b"]], object)),
        ("texts", np.ones(2, np.float32)),
    ],
    ids=["size", "rank", "type", "strings", "no strings"],
)
def test_tensors_that_do_not_fit(small: Door, model: str, array: Any) -> None:
    with pytest.raises(Refused) as refused:
        small.predict(predict_request(model, **{"s" if model == "texts" else "x": array}))
    assert refused.value.code == "INVALID_ARGUMENT"
    assert "object" not in refused.value.details


def test_a_failing_model_tells_nothing_of_itself(small: Door) -> None:
    with pytest.raises(Refused) as refused:
        small.predict(predict_request("fails", x=X))
    assert refused.value.code == "INTERNAL"
    assert "secret" not in refused.value.details


def test_bytes_that_are_no_message(small: Door) -> None:
    with pytest.raises(Refused) as refused:
        small.raw(f"{PREDICTION}/Predict", b"\xff\xff\xff")
    assert refused.value.code == "INVALID_ARGUMENT"
    assert refused.value.details == "The request is no tensorflow.serving.PredictRequest"


def test_a_long_name_comes_back_short(small: Door) -> None:
    with pytest.raises(Refused) as refused:
        small.predict(predict_request("é" * 100_000, x=X))
    assert refused.value.code == "NOT_FOUND"
    assert len(refused.value.details) < 1100


def test_an_unknown_method(small: Door) -> None:
    with pytest.raises(Refused) as refused:
        small.raw(f"{PREDICTION}/Divine", b"")
    assert refused.value.code == "UNIMPLEMENTED"


def test_outputs_as_content(gate: Gate) -> None:
    with door(small_models(gate), tensor_content=True) as client:
        reply = client.predict(predict_request("double", x=X))
        assert reply.outputs["y"].tensor_content == (X * 2).tobytes()
        assert not reply.outputs["y"].float_val
        texts = np.array([b"a", b""], object)
        assert outputs_of(client.predict(predict_request("texts", s=texts)))["s"].tolist() == [b"a", b""]


def test_messages_up_to_the_limit(gate: Gate) -> None:
    unlimited = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
    limit = 8 * 1024 * 1024
    with door(small_models(gate), limits=Limits(body_bytes=limit), client_options=unlimited) as client:
        fits = np.ones((1000, 2000), np.float32)  # 8 MB, twice what gRPC takes by itself
        assert outputs_of(client.predict(predict_request("any", x=fits)))["x"].sum() == fits.size
        with pytest.raises(Refused) as refused:
            client.predict(predict_request("any", x=np.ones((1100, 2000), np.float32)))
        assert refused.value.code == "RESOURCE_EXHAUSTED"
        assert client.predict(predict_request("any", x=X))


def test_a_small_message_cannot_ask_for_much_memory(small: Door) -> None:
    proto = message("tensorflow.TensorProto")(dtype=1, float_val=[1])
    for _ in range(2):
        proto.tensor_shape.dim.add().size = 100_000
    with pytest.raises(Refused) as refused:
        small.predict(predict_request("any", x=proto))
    assert refused.value.code == "RESOURCE_EXHAUSTED"


def test_a_deadline(small: Door, gate: Gate) -> None:
    with pytest.raises(Refused) as refused:
        small.predict(predict_request("slow", x=X), timeout=0.2)
    assert refused.value.code == "DEADLINE_EXCEEDED"
    assert gate.entered.is_set()
    assert small.predict(predict_request("double", x=X))
    gate.opened.set()
    assert outputs_of(small.predict(predict_request("slow", x=X)))["x"].tolist() == X.tolist()


def test_requests_are_counted_by_status(gate: Gate) -> None:
    with door(small_models(gate)) as client:
        client.predict(predict_request("double", x=X))
        for request in (predict_request("double", z=X), predict_request("none", x=X)):
            with pytest.raises(Refused):
                client.predict(request)
        counted = client.counters
        assert counted.requests("double", "OK") == 1
        assert counted.requests("double", "INVALID_ARGUMENT") == 1
        assert counted.requests("", "NOT_FOUND") == 1
        assert counted.stats("double", "7").requests == 2
        assert counted.stats("double", "7").errors == 1
        page = MetricsPage(counted).render().decode()
        line = ':tensorflow:serving:request_latency_count{API="Predict",entrypoint="GRPC",model_name="double"} 1'
        assert line in page
