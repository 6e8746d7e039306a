"""Classify and regress over REST: features in, serialised examples to the model, labels and values out."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from workbench.serve.counters import Counters
from workbench.serve.inference import Inference
from workbench.serve.models import Models
from workbench.serve.rest.examples_body import read_examples
from workbench.serve.rest.handler import Handler
from workbench.serve.servable import Servable
from workbench.serve.signature import DEFAULT, Signature, Tensor
from workbench.serve.status import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

LISTS = {"BytesList": "TYPE_BYTES", "FloatList": "TYPE_FLOAT", "Int64List": "TYPE_INT64"}


def example_class() -> Any:
    """tf.Example, from its public definition, in a pool of its own."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="t", syntax="proto3")
    for name, kind in LISTS.items():
        values = file.message_type.add(name=name)
        values.field.add(name="value", number=1, label=field.LABEL_REPEATED, type=getattr(field, kind))
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, name in enumerate(LISTS, 1):
        feature.field.add(
            name=name.lower(), number=number, type=field.TYPE_MESSAGE, type_name=f".t.{name}", oneof_index=0, label=1
        )
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=field.TYPE_STRING, label=1)
    entry.field.add(name="value", number=2, type=field.TYPE_MESSAGE, type_name=".t.Feature", label=1)
    features.field.add(name="feature", number=1, label=3, type=field.TYPE_MESSAGE, type_name=".t.Features.FeatureEntry")
    example = file.message_type.add(name="Example")
    example.field.add(name="features", number=1, type=field.TYPE_MESSAGE, type_name=".t.Features", label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Example"))


Example = example_class()


def features(raw: bytes) -> dict[str, list[Any]]:
    found = {}
    for name, feature in Example.FromString(raw).features.feature.items():
        kind = feature.WhichOneof("kind")
        found[name] = [kind, *getattr(feature, kind).value] if kind else []
    return found


class Wide:
    """Scores an example by its feature `x`."""

    platform = "test"

    def __init__(self) -> None:
        texts = (Tensor("inputs", "string", (-1,)),)
        classes, scores = Tensor("classes", "string", (-1, -1)), Tensor("scores", "float32", (-1, -1))
        self.signatures = {
            DEFAULT: Signature(texts, (classes, scores), "classify"),
            "value": Signature(texts, (Tensor("outputs", "float32", (-1, 1)),), "regress"),
            "raw": Signature(texts, (scores,)),
        }

    def run(self, signature: str, feeds: Mapping[str, Any]) -> dict[str, Any]:
        x = np.array([[features(raw)["x"][1]] for raw in feeds["inputs"]], np.float32)
        if signature == "value":
            return {"outputs": x}
        labels = np.empty((len(x), 2), dtype=object)
        labels[:] = [b"lo", "hoch ü".encode()]
        both = {"classes": labels, "scores": np.concatenate([x, 1 - x], axis=1)}
        return both if signature == DEFAULT else {"scores": both["scores"]}

    def close(self) -> None: ...


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
def handler(counters: Counters) -> Handler:
    servable = Servable("wide", 1, Wide)
    servable.load()
    assert servable.state == "AVAILABLE"
    models = Models({})
    models.add(servable)
    return Handler(Inference(models, counters))


def ask(handler: Handler, verb: str, body: Any) -> tuple[int, str]:
    reply = asyncio.run(handler("POST", f"/v1/models/wide:{verb}", json.dumps(body).encode()))
    return reply.code.http, reply.body.decode()


def test_classify(handler: Handler, counters: Counters) -> None:
    status, reply = ask(handler, "classify", {"examples": [{"x": 0.25}, {"x": [0.1]}]})
    assert (status, reply) == (
        200,
        '{"results":[[["lo",0.25],["hoch \\u00fc",0.75]],[["lo",0.1],["hoch \\u00fc",0.9]]]}',
    )
    stats = counters.stats("wide", "1")
    assert (stats.requests, stats.errors) == (1, 0)


def test_regress(handler: Handler) -> None:
    body = {"signature_name": "value", "context": {"x": 3e-5, "other": "a"}, "examples": [{}, {"x": 2.0}]}
    assert ask(handler, "regress", body) == (200, '{"results":[3e-05,2.0]}')


def test_examples_can_also_be_sent_to_predict(handler: Handler) -> None:
    raw = Example()
    raw.features.feature["x"].floatlist.value.append(0.5)

    text = base64.b64encode(raw.SerializeToString()).decode()
    body = {"signature_name": "raw", "instances": [{"b64": text}]}
    assert ask(handler, "predict", body) == (200, '{"predictions":[[0.5,0.5]]}')


@pytest.mark.parametrize(
    ("verb", "body", "error"),
    [
        ("classify", {"signature_name": "value", "examples": [{}]}, "No classification inputs found in SignatureDef"),
        ("regress", {"examples": [{"x": 1.0}]}, "No regression inputs found in SignatureDef"),
        ("classify", {"signature_name": "none", "examples": [{}]}, 'Serving signature name: "none" not found'),
        ("classify", {"instances": [1]}, "When method is classify, key 'examples' is expected and was not found."),
        ("classify", {"examples": []}, "'examples' value is an empty array."),
        ("classify", {"examples": 5}, "Expecting 'examples' value to be a list/array."),
        ("classify", {"examples": [5]}, "Example must be JSON object but got JSON Value: 5"),
        ("classify", {"examples": [{"x": [1, 2.5]}]}, "Unexpected element type in JSON Value: [1, 2.5]"),
        ("classify", {"examples": [{"x": None}]}, "JSON Value: null of feature named x"),
        ("classify", {"examples": [{"x": {"y": 1}}]}, 'JSON Value: {"y": 1} of feature named x'),
        ("classify", {"examples": [{"x": 1 << 70}]}, "JSON Value: 1180591620717411303424 of feature named x"),
        ("classify", {"signature_name": 5, "examples": [{}]}, "JSON Value: "),
    ],
)  # fmt: skip
def test_wrong_bodies(handler: Handler, counters: Counters, verb: str, body: Any, error: str) -> None:
    status, reply = ask(handler, verb, body)
    assert status == 400
    assert json.loads(reply)["error"].startswith(error)
    assert counters.requests("wide", "INVALID_ARGUMENT") == 1


def test_features_are_typed_by_their_values() -> None:
    given = {
        "ints": [1, -2, 1 << 62],
        "int": 5,
        "truths": [True, False],
        "floats": [0.5, 1e300],
        "texts": ["a", "ü"],
        "bytes": [{"b64": "/w=="}, "b"],
        "none": [],
    }
    assert features(read_examples({"examples": [given]}).examples[0]) == {
        "ints": ["int64list", 1, -2, 1 << 62],
        "int": ["int64list", 5],
        "truths": ["int64list", 1, 0],
        "floats": ["floatlist", 0.5, float("inf")],
        "texts": ["byteslist", b"a", "ü".encode()],
        "bytes": ["byteslist", b"\xff", b"b"],
        "none": [],
    }


def test_what_an_example_says_itself_holds_against_the_context() -> None:
    read = read_examples({"context": {"a": 1, "b": 2}, "examples": [{"b": 3}, {"b": ["x"]}]})
    assert [features(raw) for raw in read.examples] == [
        {"a": ["int64list", 1], "b": ["int64list", 3]},
        {"a": ["int64list", 1], "b": ["byteslist", b"x"]},
    ]


def test_half_a_surrogate_is_no_text() -> None:
    with pytest.raises(RequestError, match="surrogate"):
        read_examples({"examples": [{"x": "\ud800"}]})
