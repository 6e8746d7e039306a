import shutil
from pathlib import Path

import pytest

import workbench.convert
from workbench.convert.base import converters
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, ParityError, WorkspaceError
from workbench.core.records import Parity
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.jobs import submit


def test_every_converter_says_what_it_does() -> None:
    assert {"h5", "keras", "onnx", "packed", "saved_model", "tf_keras", "tflite"} <= {*converters.names()}
    for name in converters.names():
        unit = converters.get(name)
        assert unit.__doc__
        assert "float32" in unit.numerics


@pytest.mark.parametrize("label", ["saved_model/float32", "onnx/float32", "tflite/float32"])
def test_float_conversions_answer_like_their_source(
    label: str, converted: dict[str, Artifact], trained: Artifact
) -> None:
    parity = Parity.from_json(converted[label].metrics["parity"])
    assert parity.passed
    assert parity.max_abs <= parity.max_abs_limit == 1e-4
    assert parity.agreement == 1.0
    assert (parity.source, parity.target) == ("tf_keras/float32", label)
    assert converted[label].parent == trained.sha256


def test_int8_keeps_its_labels_and_is_a_quarter_of_the_size(converted: dict[str, Artifact]) -> None:
    parity = Parity.from_json(converted["tflite/int8"].metrics["parity"])
    assert parity.agreement >= parity.min_agreement == 0.99
    assert parity.samples == 1000
    assert converted["tflite/int8"].sizes().raw < 0.3 * converted["tflite/float32"].sizes().raw


def test_the_saved_model_has_the_signature_that_servers_ask_for(
    converted: dict[str, Artifact], workspace: Workspace
) -> None:
    path = str(converted["saved_model/float32"].path)
    text = submit("probe_models:signature", {"path": path}, kind="probe", workspace=workspace).wait(60)
    (_, block) = text.split("signature_def['serving_default']:")
    block = block.split("The MetaGraph")[0]
    assert "inputs['image'] tensor_info:\n        dtype: DT_FLOAT\n        shape: (-1, 28, 28, 1)" in block
    assert "outputs['probabilities'] tensor_info:\n        dtype: DT_FLOAT\n        shape: (-1, 10)" in block
    assert "Method name is: tensorflow/serving/predict" in block


def test_the_saved_model_carries_no_optimizer(converted: dict[str, Artifact]) -> None:
    assert converted["saved_model/float32"].sizes().raw < 500_000


def test_a_saved_model_goes_on_to_onnx(converted: dict[str, Artifact], digits: Dataset, workspace: Workspace) -> None:
    made = workbench.convert(converted["saved_model/float32"], "onnx", dataset=digits, workspace=workspace)
    assert Parity.from_json(made.metrics["parity"]).source == "saved_model/float32"
    assert made.parent == converted["saved_model/float32"].sha256


def test_tampered_weights_fail_loudly(trained: Artifact, digits: Dataset, workspace: Workspace) -> None:
    request = {
        "artifact": str(trained.folder), "sha256": trained.sha256, "dataset": digits.spec,
        "representative": digits.spec, "settings": {"format": "onnx"},
    }  # fmt: skip
    job = submit("probe_models:tampered_conversion", request, kind="convert", workspace=workspace)
    with pytest.raises(ParityError, match="onnx/float32 must answer like tf_keras/float32"):
        job.wait(60)
    with pytest.raises(BadInputError, match="must be a folder with a manifest"):
        Artifact.load(job.result)


def test_a_tolerance_can_be_asked_for(trained: Artifact, digits: Dataset, workspace: Workspace) -> None:
    with pytest.raises(ParityError, match="no output off by more than 1e-06"):
        workbench.convert(trained, "tflite", numeric="int8", dataset=digits, max_abs=1e-6, workspace=workspace)


def test_the_data_a_model_was_trained_on_is_the_default(trained: Artifact, workspace: Workspace) -> None:
    made = workbench.convert(trained, "onnx", workspace=workspace)
    assert made.settings["dataset"] == trained.settings["dataset"]


@pytest.mark.parametrize(
    ("format_", "numeric", "named"),
    [
        ("onnx", "int4", "numeric must be one of float32, float16, dynamic, int8 for onnx, got 'int4'"),
        ("torch", "float32", "converter must be one of .*onnx.*saved_model, tf_keras, tflite"),
        ("docx", "float32", "format must be"),
    ],
)
def test_what_is_not_made_is_said(
    trained: Artifact, workspace: Workspace, format_: str, numeric: str, named: str
) -> None:
    with pytest.raises(BadInputError, match=named):
        workbench.convert(trained, format_, numeric=numeric, workspace=workspace)


def test_a_file_at_the_end_of_the_road_is_not_converted(
    converted: dict[str, Artifact], digits: Dataset, workspace: Workspace
) -> None:
    with pytest.raises(BadInputError, match="convert the model that it was made from"):
        workbench.convert(converted["tflite/int8"], "onnx", dataset=digits, workspace=workspace)


def test_where_a_way_leads_round_it_is_named(
    converted: dict[str, Artifact], digits: Dataset, workspace: Workspace
) -> None:
    with pytest.raises(BadInputError, match=r"go over another format with workbench.convert_along\(…, 'keras'\)\."):
        workbench.convert(converted["saved_model/float32"], "keras", dataset=digits, workspace=workspace)


def test_a_truncated_source_is_one_sentence(
    trained: Artifact, digits: Dataset, workspace: Workspace, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(trained.folder, copy)
    (copy / trained.file).write_bytes(trained.path.read_bytes()[:1000])
    with pytest.raises(WorkspaceError, match="truncated or changed"):
        workbench.convert(Artifact.load(copy), "onnx", dataset=digits, workspace=workspace)
