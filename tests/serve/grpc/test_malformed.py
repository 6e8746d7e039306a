"""What no client should send: damaged bytes, bombs, too much at once, and clients that leave."""

from __future__ import annotations

import random
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pytest

from tests.serve.grpc.door import MODEL, PREDICTION, Door, Refused, door, predict_request
from tests.serve.grpc.models import Gate, small_models
from workbench.serve.grpc import call
from workbench.serve.grpc.messages import message
from workbench.serve.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

X = np.ones((1, 2), np.float32)
CLEAN = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "RESOURCE_EXHAUSTED", "UNIMPLEMENTED"}


def good_requests() -> dict[str, list[bytes]]:
    """Requests that are answered, by method."""
    spec: dict[str, Any] = {"name": "examples", "version_label": "", "signature_name": "value"}
    classify = message("tensorflow.serving.ClassificationRequest")(model_spec={"name": "examples"})
    classify.input.example_list_with_context.examples.append(b"\x0a\x00")
    multi = message("tensorflow.serving.MultiInferenceRequest")()
    multi.tasks.add(model_spec=spec, method_name="tensorflow/serving/regress")
    multi.input.example_list.examples.append(b"\x0a\x00")
    about = message("tensorflow.serving.GetModelMetadataRequest")(metadata_field=["signature_def"])
    about.model_spec.name = "pair"
    content = message("tensorflow.TensorProto")(dtype=1, tensor_content=X.tobytes())
    content.tensor_shape.dim.add(size=1)
    content.tensor_shape.dim.add(size=2)
    reload = message("tensorflow.serving.ReloadConfigRequest")(metric_names=["a"])
    config = reload.config.model_config_list.config.add(name="m", base_path="/m", version_labels={"a": 1})
    config.model_version_policy.specific.versions.append(3)
    predictions = [
        predict_request("pair", a=X[0, :1], b=np.array([[1, 2]])),
        predict_request("any", x=content),
        predict_request("texts", s=np.array([b"a", b"bc"], object)),
        predict_request("float16", x=X.astype(np.float16)),
    ]
    return {
        f"{PREDICTION}/Predict": [one.SerializeToString() for one in predictions],
        f"{PREDICTION}/Classify": [classify.SerializeToString()],
        f"{PREDICTION}/MultiInference": [multi.SerializeToString()],
        f"{PREDICTION}/GetModelMetadata": [about.SerializeToString()],
        f"{MODEL}/HandleReloadConfigRequest": [reload.SerializeToString()],
    }


def damaged(data: bytes, chance: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(found) + 1)
        how = chance.choice(["flip", "insert", "cut", "end", "double"])
        if how == "flip" and at < len(found):
            found[at] ^= 1 << chance.randrange(8)
        elif how == "insert":
            found[at:at] = chance.randbytes(chance.randint(1, 9))
        elif how == "cut":
            del found[at : at + chance.randint(1, 9)]
        elif how == "end":
            del found[at:]
        else:
            found += found[at : at + 64]
    return bytes(found)


@pytest.fixture(scope="module")
def client(gate: Gate) -> Iterator[Door]:
    with door(small_models(gate), limits=Limits(body_bytes=1 << 20)) as found:
        yield found


def outcome(client: Door, method: str, data: bytes) -> str:
    try:
        client.raw(method, data)
    except Refused as refused:
        return refused.code if "Traceback" not in refused.details else refused.details
    return "OK"


def test_damaged_bytes_are_no_fault_of_the_server(client: Door) -> None:
    chance, seen = random.Random(5), Counter[str]()
    for method, requests in good_requests().items():
        for index in range(400):
            data = damaged(requests[index % len(requests)], chance)
            code = outcome(client, method, data)
            assert code in CLEAN, (method, data)
            seen[code] += 1
    assert seen["INVALID_ARGUMENT"] > 500
    assert seen["OK"] > 50
    assert client.predict(predict_request("double", x=X))


def test_random_bytes(client: Door) -> None:
    chance = random.Random(6)
    for _ in range(300):
        assert outcome(client, f"{PREDICTION}/Predict", chance.randbytes(chance.randint(0, 60))) in CLEAN


def test_a_message_that_is_nested_deeply(client: Door) -> None:
    deep = b""
    for _ in range(3000):  # variants within variants, of which nothing is known here
        inner = b"\x7a" + bytes([len(deep) & 0x7F | 0x80, len(deep) >> 7 & 0x7F | 0x80, len(deep) >> 14]) + deep
        deep = b"\x1a" + bytes([len(inner) & 0x7F | 0x80, len(inner) >> 7 & 0x7F | 0x80, len(inner) >> 14]) + inner
    request = message("tensorflow.serving.PredictRequest")()
    request.model_spec.name = "any"
    request.inputs["x"].MergeFromString(deep)
    assert outcome(client, f"{PREDICTION}/Predict", request.SerializeToString()) == "INVALID_ARGUMENT"


def test_compressed_requests_and_bombs(client: Door) -> None:
    fits = predict_request("any", x=np.zeros((100, 1000), np.float32)).SerializeToString()
    for how in (grpc.Compression.Gzip, grpc.Compression.Deflate):
        assert client.raw(f"{PREDICTION}/Predict", fits, compression=how)
    with pytest.raises(Refused) as refused:
        client.raw(f"{PREDICTION}/Predict", bytes(16 << 20), compression=grpc.Compression.Gzip)
    assert refused.value.code == "RESOURCE_EXHAUSTED"


def test_too_many_at_once() -> None:
    gate = Gate()
    with door(small_models(gate), limits=Limits(connections=2)) as client:
        ask = client.channel.unary_unary(f"/{PREDICTION}/Predict")
        held = predict_request("slow", x=X).SerializeToString()
        waiting = [ask.future(held, timeout=20) for _ in range(2)]
        assert gate.entered.wait(20)
        refused = Refused("", "")
        while refused.code != "RESOURCE_EXHAUSTED":  # the second is on its way still
            try:
                client.predict(predict_request("double", x=X))
            except Refused as error:
                refused = error
        gate.opened.set()
        assert all(one.result() for one in waiting)
        assert client.predict(predict_request("double", x=X))


def test_a_client_that_leaves_is_forgotten() -> None:
    gate = Gate()
    with door(small_models(gate)) as client:
        asked = client.channel.unary_unary(f"/{PREDICTION}/Predict").future(
            predict_request("slow", x=X).SerializeToString(), timeout=20
        )
        assert gate.entered.wait(20)
        asked.cancel()
        while not client.counters.requests("slow", "CANCELLED"):
            client.predict(predict_request("double", x=X))
        gate.opened.set()
        assert client.predict(predict_request("slow", x=X))


def streamed(client: Door, messages: Iterator[bytes]) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as refused:
        client.channel.stream_unary(f"/{PREDICTION}/Predict")(messages, timeout=20)
    return refused.value


def test_a_client_that_stalls_is_let_go(client: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "SECONDS_TO_SEND", 0.1)
    ended = threading.Event()

    def nothing_yet() -> Iterator[bytes]:
        ended.wait(30)
        yield b""

    error = streamed(client, nothing_yet())
    ended.set()
    assert (error.code().name, error.details()) == (
        "DEADLINE_EXCEEDED",
        "The request's message did not arrive in time",
    )


def test_a_call_without_a_message(client: Door) -> None:
    error = streamed(client, iter(()))
    assert (error.code().name, error.details()) == ("INVALID_ARGUMENT", "The request has no message")
