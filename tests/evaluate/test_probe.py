import re
from pathlib import Path

import numpy as np
import pytest

from tests.convert.lite_files import crashing_file, lite_file
from tests.convert.onnx_files import model, node, value
from workbench.core.artifact import Artifact, Format
from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace
from workbench.evaluate import probe
from workbench.evaluate.packing import pack
from workbench.evaluate.runtimes.base import open_runtime
from workbench.jobs import jobs, submit

ENDINGS: dict[Format, str] = {"onnx": "model.onnx", "tflite": "model.tflite", "packed": "model.packed"}


def _foreign(folder: Path, content: bytes, format_: Format) -> Artifact:
    """An artifact as somebody else's workspace would hold it: the manifest is right, but nobody here wrote it."""
    folder.mkdir(exist_ok=True)
    (folder / ENDINGS[format_]).write_bytes(content)
    return Artifact.write(folder, file=ENDINGS[format_], name="foreign", format=format_, numeric="float32")


def _probes(workspace: Workspace) -> int:
    return len(
        [job for job in jobs(workspace, "probe") if "workbench.evaluate.probe" in (job.folder / "job.json").read_text()]
    )


@pytest.mark.parametrize("format_", ENDINGS)
def test_a_foreign_model_is_probed_once_and_then_opened_here(
    format_: Format, tmp_path: Path, workspace: Workspace
) -> None:
    scale = np.full((4, 2), len(format_), np.float32)  # a model of this test alone
    content = model(weights={"weights": scale}).SerializeToString()
    if format_ == "tflite":
        content = lite_file(lambda tables: setattr(tables, "description", "of this test alone"))
    artifact = _foreign(tmp_path, pack(content, "onnx") if format_ == "packed" else content, format_)
    before = _probes(workspace)
    for _ in range(2):
        with open_runtime(artifact) as runtime:
            assert runtime.predict(np.ones((3, 4))).shape == (3, 2)
        assert _probes(workspace) == before + 1


def test_a_model_of_this_workspace_is_opened_at_once(workspace: Workspace) -> None:
    before = _probes(workspace)
    folder = workspace.new_run("made") / "result"
    with open_runtime(_foreign(folder, lite_file(), "tflite")) as runtime:
        assert runtime.predict(np.ones((1, 4))).shape == (1, 2)
    assert _probes(workspace) == before


def test_a_job_opens_it_itself(tmp_path: Path, workspace: Workspace) -> None:
    before = _probes(workspace)
    artifact = _foreign(tmp_path, model(opset=16).SerializeToString(), "onnx")
    asked = {"folder": str(artifact.folder), "sha256": artifact.sha256}
    assert np.shape(submit("foreign_models:answers", asked, kind="probe", workspace=workspace).wait(60)) == (3, 2)
    assert _probes(workspace) == before


def test_a_model_that_crashes_its_engine_is_one_sentence_and_nothing_else(tmp_path: Path, workspace: Workspace) -> None:
    artifact = _foreign(tmp_path, crashing_file(), "tflite")
    sentence = (
        rf"{re.escape(str(artifact.path))} must be a model that can be opened, but the process that read it was killed"
    )
    for _ in range(2):  # what failed is not remembered as good
        with pytest.raises(BadInputError, match=sentence) as told:
            open_runtime(artifact)
        assert "\n" not in str(told.value)
    assert not (workspace.cache / "probed" / artifact.sha256).exists()


@pytest.mark.usefixtures("workspace")
def test_a_packed_model_that_crashes_its_engine_is_one_sentence(tmp_path: Path) -> None:
    artifact = _foreign(tmp_path, pack(crashing_file(), "tflite"), "packed")
    with pytest.raises(BadInputError, match="the process that read it was killed"):
        open_runtime(artifact)


def _endless() -> bytes:
    """A model that counts to 2^62 before it answers."""
    from onnx import TensorProto, helper, numpy_helper

    body = helper.make_graph(
        [node("Identity", ["go"], ["on"]), node("Add", ["given", "one"], ["more"])],
        "body",
        [
            helper.make_tensor_value_info("step", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            value("given"),
        ],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, []), value("more")],
    )
    weights = {"times": np.asarray(1 << 62), "one": np.ones(1, np.float32)}
    made = model(node("Loop", ["times", "", "x"], ["y"], body=body), weights=weights)
    assert numpy_helper.to_array(made.graph.initializer[0]) == 1 << 62
    content: bytes = made.SerializeToString()
    return content


@pytest.mark.usefixtures("workspace")
def test_a_model_that_hangs_is_ended_at_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_SECONDS", 1.0)
    with pytest.raises(BadInputError, match=r"the process that read it took longer than its limit of 1 s; do not"):
        open_runtime(_foreign(tmp_path, _endless(), "onnx"))


@pytest.mark.usefixtures("workspace")
def test_a_model_that_asks_for_terabytes_is_refused(tmp_path: Path) -> None:
    weights = {"shape": np.asarray([1 << 20, 1 << 20])}
    nodes = [node("ConstantOfShape", ["shape"], ["large"]), node("ReduceMax", ["large"], ["largest"], keepdims=0)]
    made = model(*nodes, node("Add", ["x", "largest"]), weights=weights)
    with pytest.raises(BadInputError, match=r"must be a model|must answer a batch"):
        open_runtime(_foreign(tmp_path, made.SerializeToString(), "onnx"))
