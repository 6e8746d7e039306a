"""What we write ourselves comes back in as what it is, under any name."""

import shutil
from pathlib import Path

import pytest

import workbench.convert
from workbench.convert.adopt import adopt
from workbench.core.artifact import Artifact, Format, Numeric
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("format_", "numeric"),
    [
        *(("tflite", numeric) for numeric in ("float32", "float16", "dynamic", "int8", "int16x8", "int4")),
        *(("onnx", numeric) for numeric in ("float32", "float16", "dynamic", "int8")),
        ("saved_model", "float32"),
    ],
)
def test_format_numeric_type_and_bytes_are_the_same(
    format_: Format, numeric: Numeric, trained: Artifact, digits: Dataset, tmp_path: Path, workspace: Workspace
) -> None:
    made = workbench.convert(trained, format_, numeric=numeric, dataset=digits, workspace=workspace)
    renamed = tmp_path / "anything.bin"
    (shutil.copytree if made.path.is_dir() else shutil.copyfile)(made.path, renamed)
    artifact = adopt(renamed, workspace=workspace)
    assert artifact.label == made.label
    assert artifact.sha256 == made.sha256
    assert artifact.metrics["lost"] == []


@pytest.mark.parametrize("label", ["onnx/float32", "tflite/int8"])
def test_a_packed_model_comes_back_as_what_is_inside(
    label: str, converted: dict[str, Artifact], digits: Dataset, workspace: Workspace
) -> None:
    packed = workbench.convert(converted[label], "packed", dataset=digits, workspace=workspace)
    artifact = adopt(packed.path, workspace=workspace)
    assert artifact.label == label
    assert artifact.sha256 == converted[label].sha256
    assert artifact.settings["packed"] is True


@pytest.mark.thorough
def test_a_tf_keras_model_comes_back_with_the_same_weights(trained: Artifact, workspace: Workspace) -> None:
    artifact = adopt(trained.path, workspace=workspace)
    assert artifact.label == trained.label
    assert artifact.sha256 == trained.sha256
