"""SavedModels as TensorFlow Serving loads them: every signature, texts, examples, recorded warm-ups, and trust."""

from __future__ import annotations

import asyncio
import json
import shutil
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from workbench.core.artifact import Artifact, content_sha256
from workbench.core.errors import BadInputError, UntrustedModelError, WorkspaceError
from workbench.serve.counters import Counters
from workbench.serve.engines import open_engine
from workbench.serve.inference import Inference
from workbench.serve.models import Models
from workbench.serve.rest.handler import Handler
from workbench.serve.servable import Servable
from workbench.serve.signature import DEFAULT
from workbench.serve.warm_up import FILE

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.thorough, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TF2 model: `serving_default` of two inputs, `texts` of strings, `loose` of any rank, `table` with assets."""
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("several") / "1"
    words = folder.parent / "words.txt"
    words.write_text("null\neins\nzwei\n")

    class Module(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = tf.Variable([[1.0], [2.0]])
            self.words = tf.lookup.StaticHashTable(
                tf.lookup.TextFileInitializer(
                    str(words),
                    tf.string,
                    tf.lookup.TextFileIndex.WHOLE_LINE,
                    tf.int64,
                    tf.lookup.TextFileIndex.LINE_NUMBER,
                ),
                -1,
            )

        @tf.function(input_signature=[tf.TensorSpec([None, 2], name="a"), tf.TensorSpec([None, 1], name="b")])
        def main(self, a: Any, b: Any) -> Any:
            product = a @ self.weight
            return {"sum": product + b, "product": product}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="s")])
        def texts(self, s: Any) -> Any:
            return {"upper": tf.strings.upper(s), "number": self.words.lookup(s)}

        @tf.function(input_signature=[tf.TensorSpec(None, name="x")])
        def loose(self, x: Any) -> Any:
            return {"y": x * 2}

        @tf.function(input_signature=[tf.TensorSpec([None, None], name="x"), tf.TensorSpec([None, None], name="z")])
        def matrices(self, x: Any, z: Any) -> Any:
            return {"y": x @ z}

    module = Module()
    tf.saved_model.save(
        module,
        str(folder),
        signatures={DEFAULT: module.main, "texts": module.texts, "loose": module.loose, "matrices": module.matrices},
    )
    return folder


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TF1 model that classifies and regresses serialised examples by their feature `x`."""
    import tensorflow as tf

    v1 = tf.compat.v1
    folder = tmp_path_factory.mktemp("examples") / "1"
    with tf.Graph().as_default(), v1.Session() as session:
        raw = v1.placeholder(tf.string, [None], name="tf_example")
        x = v1.io.parse_example(raw, {"x": tf.io.FixedLenFeature([1], tf.float32)})["x"]
        weight = v1.get_variable("weight", initializer=2.0)
        scores = tf.concat([x * weight, 1 - x], axis=1)
        classes = tf.broadcast_to(tf.constant(["lo", "hi"]), tf.shape(scores))
        session.run(v1.global_variables_initializer())
        utils = v1.saved_model.signature_def_utils
        builder = v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(
            session,
            ["serve"],
            signature_def_map={
                DEFAULT: utils.classification_signature_def(raw, classes, scores),
                "regress": utils.regression_signature_def(raw, x * weight),
            },
        )
        builder.save()
    return folder


def handler_of(folder: Path) -> Handler:
    servable = Servable("m", 1, partial(open_engine, folder, 1, foreign=True, trust=True))
    servable.load()
    assert servable.state == "AVAILABLE", servable.error
    models = Models({})
    models.add(servable)
    return Handler(Inference(models, Counters()))


def ask(handler: Handler, path: str, body: Any = None) -> tuple[int, Any]:
    method = "GET" if body is None else "POST"
    reply = asyncio.run(handler(method, f"/v1/models/m{path}", b"" if body is None else json.dumps(body).encode()))
    return reply.code.http, json.loads(reply.body)


def test_every_signature_answers(several: Path) -> None:
    handler = handler_of(several)
    body = {"instances": [{"a": [1, 2], "b": [10]}, {"a": [0, 1], "b": [0]}]}
    assert ask(handler, ":predict", body) == (
        200,
        {"predictions": [{"product": [5.0], "sum": [15.0]}, {"product": [2.0], "sum": [2.0]}]},
    )
    texts = {"signature_name": "texts", "inputs": ["eins", "drei"]}
    assert ask(handler, ":predict", texts) == (200, {"outputs": {"number": [1, -1], "upper": ["EINS", "DREI"]}})
    for value in (3.5, [[1.5], [2.0]]):
        status, reply = ask(handler, ":predict", {"signature_name": "loose", "inputs": value})
        assert (status, np.array(reply["outputs"]).tolist()) == (200, (np.array(value) * 2).tolist())


def test_what_the_graph_refuses_is_400_in_its_own_words(several: Path) -> None:
    body = {"signature_name": "matrices", "inputs": {"x": [[1, 2]], "z": [[1, 2]]}}
    status, reply = ask(handler_of(several), ":predict", body)
    assert status == 400
    assert "Matrix size-incompatible" in reply["error"]
    assert "node" not in reply["error"]


def test_metadata_names_the_graphs_tensors(several: Path) -> None:
    _, reply = ask(handler_of(several), "/metadata")
    signatures = reply["metadata"]["signature_def"]["signature_def"]
    assert set(signatures) >= {DEFAULT, "texts", "loose"}
    assert signatures[DEFAULT]["inputs"]["a"] == {
        "dtype": "DT_FLOAT",
        "tensor_shape": {"dim": [{"size": "-1", "name": ""}, {"size": "2", "name": ""}], "unknown_rank": False},
        "name": "serving_default_a:0",
    }
    assert signatures["loose"]["inputs"]["x"]["tensor_shape"] == {"dim": [], "unknown_rank": True}


def test_classify_and_regress(examples: Path) -> None:
    handler = handler_of(examples)
    body = {"examples": [{"x": 0.25}, {"x": [0.5]}]}
    assert ask(handler, ":classify", body) == (
        200,
        {"results": [[["lo", 0.5], ["hi", 0.75]], [["lo", 1.0], ["hi", 0.5]]]},
    )
    assert ask(handler, ":regress", {"signature_name": "regress", **body}) == (200, {"results": [0.5, 1.0]})
    status, reply = ask(handler, ":classify", {"examples": [{"y": 0.25}]})
    assert status == 400
    assert "x" in reply["error"]
    _, metadata = ask(handler, "/metadata")
    assert (
        metadata["metadata"]["signature_def"]["signature_def"]["regress"]["method_name"] == "tensorflow/serving/regress"
    )


def test_recorded_requests_of_tensorflows_own_writer_warm_up(several: Path, tmp_path: Path) -> None:
    import tensorflow as tf

    from tests.serve.test_warm_up import predict_log

    folder = tmp_path / "1"
    shutil.copytree(several, folder)
    (folder / FILE).parent.mkdir()
    with tf.io.TFRecordWriter(str(folder / FILE)) as writer:
        writer.write(predict_log(np.ones((1, 3), np.float32), "loose"))
    engine = open_engine(folder, 1, foreign=True, trust=True)
    ((name, feeds),) = engine.warm_ups
    assert (name, feeds["x"].tolist()) == ("loose", [[1.0, 1.0, 1.0]])


def test_what_does_more_than_calculate_needs_trust(tmp_path: Path) -> None:
    import tensorflow as tf

    class Writes(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], name="x")])
        def call(self, x: Any) -> Any:
            tf.io.write_file(str(tmp_path / "written"), "by the model")
            return {"y": x}

    module = Writes()
    folder = tmp_path / "1"
    tf.saved_model.save(module, str(folder), signatures={DEFAULT: module.call})
    with pytest.raises(UntrustedModelError, match="WriteFile"):
        open_engine(folder, 1, foreign=True)
    open_engine(folder, 1, foreign=True, trust=True).close()


def test_a_manifest_beside_the_graph_is_checked(several: Path, tmp_path: Path) -> None:
    source = tmp_path / "artifact"
    shutil.copytree(several, source / "saved_model")
    artifact = Artifact.write(source, file="saved_model", name="m", format="saved_model", numeric="float32")
    folder = tmp_path / "1"
    shutil.copytree(several, folder)
    shutil.copy(source / "manifest.json", folder)
    assert artifact.sha256 == content_sha256(source / "saved_model")
    open_engine(folder, 1, trust=True).close()
    (folder / FILE).parent.mkdir()
    (folder / FILE).write_bytes(b"")
    open_engine(folder, 1, trust=True).close()
    with (folder / "saved_model.pb").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(WorkspaceError, match="sha256"):
        open_engine(folder, 1, trust=True)


def test_a_damaged_graph_is_said_without_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "1"
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"no graph")
    for trust in (False, True):
        with pytest.raises(BadInputError) as caught:
            open_engine(folder, 1, foreign=True, trust=trust)
        assert str(tmp_path) not in str(caught.value)
