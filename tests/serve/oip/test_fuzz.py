"""Nothing that a client sends is answered with a fault of the server."""

from __future__ import annotations

import asyncio
import json
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.serve.oip.models import Shelf, small_models
from workbench.serve.counters import Counters
from workbench.serve.grpc.messages import message
from workbench.serve.inference import Inference
from workbench.serve.limits import Limits
from workbench.serve.models import Target
from workbench.serve.oip.grpc_tensors import read_feeds
from workbench.serve.oip.handler import Handler
from workbench.serve.status import Code, RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbench.serve.models import Models

    Send = Callable[[str, bytes, bytes | None], int]

MODELS = ("double", "pair", "text", "free", "number", "BOOL", "UINT8", "INT64", "FP16")
EXAMPLES = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 70), 1 << 70) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)
SIZES = st.sampled_from([0, 1, 2, 3, -1, 1 << 31, 1 << 62, (1 << 63) - 1, 1 << 64, True, 1.0, None, "1"])
TENSORS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["x", "a", "b", "s", "f", "v", "", None, 5]) | VALUES,
        "shape": st.lists(SIZES, max_size=4) | VALUES,
        "datatype": st.sampled_from(["FP32", "INT64", "BYTES", "BOOL", "UINT8", "FP16", "x", None]) | VALUES,
    },
    optional={
        "data": VALUES | st.lists(st.integers(0, 3) | st.floats(width=32) | st.text(max_size=2), max_size=5),
        "parameters": st.fixed_dictionaries({}, optional={"binary_data_size": SIZES, "classification": SIZES}) | VALUES,
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {"inputs": st.lists(TENSORS, max_size=3) | VALUES},
    optional={
        "id": VALUES,
        "parameters": st.fixed_dictionaries({"binary_data_output": st.booleans()}) | VALUES,
        "outputs": st.lists(
            st.fixed_dictionaries({"name": st.sampled_from(["y", "b", "sum", "s", "f", "x", "v"])}), max_size=2
        )
        | VALUES,
    },
)


@pytest.fixture(scope="module")
def send() -> Iterator[Send]:
    models = small_models()
    inference = Inference(models, Counters(models.names()))
    handler = Handler(inference, Shelf(models), Limits())

    def ask(model: str, body: bytes, header: bytes | None) -> int:
        reply = runner.run(handler("POST", f"/v2/models/{model}/infer", header, body))
        if reply.status != Code.OK.http:
            assert list(json.loads(reply.body)) == ["error"]
        return reply.status

    with asyncio.Runner() as runner:
        yield ask
    inference.close()


def fine(status: int) -> bool:
    return status in (200, 400, 501)


@EXAMPLES
@given(model=st.sampled_from(MODELS), document=DOCUMENTS, data=st.binary(max_size=24), head=st.booleans())
def test_documents(send: Send, model: str, document: Any, data: bytes, head: bool) -> None:  # noqa: FBT001
    text = json.dumps(document).encode()
    assert fine(send(model, text + data, str(len(text)).encode() if head else None))


@EXAMPLES
@given(
    at=st.integers(0, 150), cut=st.integers(0, 8), insert=st.binary(max_size=8), header=st.integers(-2, 180) | st.none()
)
def test_mutated_binary_bodies(send: Send, at: int, cut: int, insert: bytes, header: int | None) -> None:
    document = {
        "inputs": [{"name": "s", "shape": [2], "datatype": "BYTES", "parameters": {"binary_data_size": 10}}],
        "parameters": {"binary_data_output": True},
    }
    text = json.dumps(document).encode()
    body = text + b"\1\0\0\0a\1\0\0\0b"
    body = body[:at] + insert + body[at + cut :]
    length = len(text) if header is None else header
    assert fine(send("text", body, str(length).encode()))


@EXAMPLES
@given(model=st.sampled_from(MODELS), body=st.binary(max_size=64), header=st.sampled_from([None, b"0", b"1", b"64"]))
def test_bytes(send: Send, model: str, body: bytes, header: bytes | None) -> None:
    assert fine(send(model, body, header))


INT64 = st.integers(-(1 << 63), (1 << 63) - 1)


@EXAMPLES
@given(
    model=st.sampled_from(MODELS),
    names=st.lists(st.sampled_from(["x", "a", "b", "s", "f", "v"]), max_size=3),
    datatype=st.sampled_from(["FP32", "INT64", "BYTES", "BOOL", "UINT8", "FP16", ""]),
    shape=st.lists(st.sampled_from([0, 1, 2, 3]) | INT64, max_size=3),
    contents=st.dictionaries(
        st.sampled_from(["bool_contents", "int_contents", "uint_contents", "fp32_contents", "bytes_contents"]),
        st.integers(0, 3),
        max_size=2,
    ),
    raw=st.lists(st.binary(max_size=16), max_size=3),
)
def test_messages(
    model: str, names: list[str], datatype: str, shape: list[int], contents: dict[str, int], raw: list[bytes]
) -> None:
    request = message("inference.ModelInferRequest")(model_name=model, raw_input_contents=raw)
    for name in names:
        one = request.inputs.add(name=name, datatype=datatype, shape=shape)
        for field, count in contents.items():
            getattr(one.contents, field).extend([b"a"] * count if field == "bytes_contents" else [1] * count)
    servable = kept_models().find(Target(model))
    try:
        feeds = read_feeds(request, model, servable.signature(""))
    except RequestError as error:
        code = error.code
    else:
        servable.run(feeds)
        code = Code.OK
    assert code in (Code.OK, Code.INVALID_ARGUMENT)


@cache
def kept_models() -> Models:
    return small_models()
