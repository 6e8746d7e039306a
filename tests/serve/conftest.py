"""A tiny ONNX model and its server, and a handler over small models written in NumPy."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.serve.numpy_models import crash, loaded, one
from tests.tiny_model import write_tiny
from workbench.core.artifact import Artifact
from workbench.core.workspace import Workspace
from workbench.serve.counters import Counters
from workbench.serve.inference import Inference
from workbench.serve.models import Model, Models
from workbench.serve.rest.handler import Handler
from workbench.serve.sandbox import Sandbox, serve
from workbench.serve.signature import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serve.numpy_models import FunctionEngine


@pytest.fixture(scope="session")
def serve_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace for what is served; no cluster is ever started in it."""
    return Workspace.at(tmp_path_factory.mktemp("served") / "home")


@pytest.fixture(scope="session")
def tiny_onnx(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """A model of a few bytes: `image` (n, 2, 2, 1) float32 -> `probabilities` (n, 4), the softmax of the pixels."""
    folder = tmp_path_factory.mktemp("tiny")
    write_tiny(folder)
    return Artifact.write(folder, file="model.onnx", name="tiny", format="onnx", numeric="float32")


@pytest.fixture
def tiny_tflite(tmp_path: Path) -> Artifact:
    """A TFLite model of one operator, `x` (n, 4) float32 -> its softmax `y`, put together without TensorFlow."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    def tensor(name: str) -> Any:
        one = schema.TensorT()
        one.name, one.type, one.shape, one.shapeSignature = name, schema.TensorType.FLOAT32, [1, 4], [-1, 4]
        return one

    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.SOFTMAX
    operator.inputs, operator.outputs = [0], [1]
    operator.builtinOptionsType, operator.builtinOptions = (
        schema.BuiltinOptions.SoftmaxOptions,
        schema.SoftmaxOptionsT(),
    )
    operator.builtinOptions.beta = 1.0
    graph, model = schema.SubGraphT(), schema.ModelT()
    graph.tensors, graph.operators = [tensor("x"), tensor("y")], [operator]
    graph.inputs, graph.outputs = [0], [1]
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], [schema.BufferT()]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    folder = tmp_path / "tiny-tflite"
    folder.mkdir()
    (folder / "model.tflite").write_bytes(builder.Output())
    return Artifact.write(folder, file="model.tflite", name="tiny", format="tflite", numeric="float32")


@pytest.fixture(scope="session")
def served(tiny_onnx: Artifact, serve_workspace: Workspace) -> Iterator[Sandbox]:
    """A server that answers for `tiny_onnx`, shared by all tests that only ask it."""
    with serve(tiny_onnx, "tiny", workspace=serve_workspace) as sandbox:
        yield sandbox


@dataclass
class Asked:
    """A handler as tests use it."""

    handler: Handler
    counters: Counters

    def __call__(self, method: str, path: str, body: Any = b"") -> tuple[int, Any]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        reply = asyncio.run(self.handler(method, path, raw))
        return reply.code.http, json.loads(reply.body)

    def text(self, method: str, path: str, body: bytes = b"") -> str:
        return asyncio.run(self.handler(method, path, body)).body.decode()

    def predict(self, model: str, body: Any) -> tuple[int, Any]:
        return self("POST", f"/v1/models/{model}:predict", body)


def _engines() -> dict[str, FunctionEngine]:
    x = Tensor("x", "float32", (-1, 2))
    y = Tensor("y", "float32", (-1, 2))
    a, b = Tensor("a", "float32", (-1,)), Tensor("b", "int64", (-1, 2))
    s, s_bytes = Tensor("s", "string", (-1,)), Tensor("s_bytes", "string", (-1,))
    flag, scalar = Tensor("flag", "bool", (-1,)), Tensor("v", "float32", ())
    free = Tensor("f", "float32", (-1, -1))
    return {
        "double": one((x,), (y,), lambda feeds: {"y": feeds["x"] * 2}),
        "pair": one(
            (a, b), (Tensor("sum", "float32", (-1,)), b), lambda f: {"sum": f["a"] + f["b"].sum(1), "b": f["b"]}
        ),
        "echo": one((s,), (s,), lambda feeds: {"s": feeds["s"]}),
        "bytes": one((s,), (s_bytes,), lambda feeds: {"s_bytes": feeds["s"]}),
        "not": one((flag,), (flag,), lambda feeds: {"flag": ~feeds["flag"]}),
        "same": one((Tensor("x", "float32", (-1,)),), (y,), lambda feeds: {"y": feeds["x"]}),
        "wide": one((Tensor("x", "float64", (-1,)),), (y,), lambda feeds: {"y": feeds["x"]}),
        "small": one((Tensor("x", "uint8", (-1,)),), (y,), lambda feeds: {"y": feeds["x"]}),
        "number": one((scalar,), (scalar,), lambda feeds: {"v": feeds["v"] + 1}),
        "picky": one((free,), (free,), lambda feeds: {"f": feeds["f"] @ np.ones((3, 1))}),
        "broken": one((free,), (free,), lambda feeds: {"f": feeds["missing"]}),
        "crash": one((free,), (free,), crash),
        "uneven": one((a,), (a, y), lambda f: {"a": f["a"], "y": np.zeros((5, 2), np.float32)}),
    }


@pytest.fixture
def ask() -> Asked:
    """Ask a handler that holds each model as version 7, and `double` also as versions 3 (older) and 9 (broken)."""
    engines = _engines()
    models = {name: Model({7: loaded(name, 7, engine)}) for name, engine in engines.items()}
    double = models["double"]
    x, y = Tensor("x", "float32", (-1, 2)), Tensor("y", "float32", (-1, 2))
    double.versions[3] = loaded("double", 3, one((x,), (y,), lambda f: {"y": f["x"] * 30}))
    double.versions[9] = loaded("double", 9, None)
    double.labels = {"stable": 3}
    held = Models(models)
    counters = Counters(held.names())
    return Asked(Handler(Inference(held, counters)), counters)
