import shutil
import sys
from pathlib import Path

import pytest

import workbench.convert
import workbench.evaluate
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, UntrustedModelError
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.evaluate.inventory import inventory
from workbench.evaluate.packing import unpack
from workbench.evaluate.packing.inside import unpack_to
from workbench.evaluate.runtimes import open_runtime
from workbench.evaluate.sizes import measure_sizes

LABELS = ("tf_keras/float32", "onnx/float32", "tflite/int8")


@pytest.fixture(scope="module")
def packed(
    trained: Artifact, converted: dict[str, Artifact], digits: Dataset, workspace: Workspace
) -> dict[str, Artifact]:
    sources = {trained.label: trained, **converted}
    return {label: workbench.convert(sources[label], "packed", dataset=digits, workspace=workspace) for label in LABELS}


@pytest.mark.parametrize("label", LABELS)
def test_a_packed_model_is_the_same_model(
    label: str, packed: dict[str, Artifact], trained: Artifact, converted: dict[str, Artifact]
) -> None:
    source, made = {trained.label: trained, **converted}[label], packed[label]
    assert made.label == f"packed/{source.numeric}"
    assert made.parent == source.sha256
    assert unpack(made.path.read_bytes()) == source.path.read_bytes()
    assert made.metrics["inside"] == source.format
    assert made.metrics["parity"]["max_abs"] == 0
    assert made.path.stat().st_size == measure_sizes(source).packed


@pytest.mark.parametrize("label", LABELS)
def test_its_tensors_are_those_of_the_model_inside(
    label: str, packed: dict[str, Artifact], trained: Artifact, converted: dict[str, Artifact]
) -> None:
    source = {trained.label: trained, **converted}[label]
    assert inventory(packed[label]).tensors == inventory(source).tensors


def test_it_is_evaluated_like_its_source(
    packed: dict[str, Artifact], converted: dict[str, Artifact], trained: Artifact, digits: Dataset,
    workspace: Workspace,
) -> None:  # fmt: skip
    for label, source in (("onnx/float32", converted["onnx/float32"]), ("tf_keras/float32", trained)):
        before = workbench.evaluate(source, digits, workspace=workspace)
        after = workbench.evaluate(packed[label], digits, workspace=workspace)
        assert after.correct == before.correct
    assert "tensorflow" not in sys.modules


def test_what_was_unpacked_is_gone_once_the_model_is_open(
    packed: dict[str, Artifact], digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with open_runtime(packed["onnx/float32"]) as runtime:
        assert not list(tmp_path.iterdir())
        assert runtime.name == "packed"
        assert runtime.predict(digits.floats("test", slice(0, 3))).shape == (3, 10)
    inventory(packed["tflite/int8"])
    assert not list(tmp_path.iterdir())


def test_the_model_inside_can_be_had_as_an_artifact(
    packed: dict[str, Artifact], converted: dict[str, Artifact], tmp_path: Path
) -> None:
    inside = unpack_to(packed["tflite/int8"], tmp_path)
    assert inside.sha256 == converted["tflite/int8"].sha256
    assert (inside.format, inside.numeric, inside.file) == ("tflite", "int8", "model.tflite")


def test_a_keras_model_inside_is_opened_in_its_workspace_only(packed: dict[str, Artifact], tmp_path: Path) -> None:
    shutil.copytree(packed["tf_keras/float32"].folder, tmp_path / "copy")
    with pytest.raises(UntrustedModelError, match="can run code"):
        open_runtime(Artifact.load(tmp_path / "copy"))


def test_a_damaged_file_that_someone_vouched_for_is_one_sentence(packed: dict[str, Artifact], tmp_path: Path) -> None:
    (tmp_path / "model.packed").write_bytes(packed["onnx/float32"].path.read_bytes()[:-9])
    vouched = Artifact.write(tmp_path, file="model.packed", name="broken", format="packed", numeric="float32")
    for use in (open_runtime, inventory):
        with pytest.raises(BadInputError, match="packed file is truncated or damaged") as error:
            use(vouched)
        assert "\n" not in str(error.value)


def test_packing_changes_no_numeric_type(converted: dict[str, Artifact], digits: Dataset, workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match="numeric must be float32 like the source"):
        workbench.convert(converted["onnx/float32"], "packed", numeric="int8", dataset=digits, workspace=workspace)
    with pytest.raises(BadInputError, match="artifact must be one of tf_keras, keras, onnx, tflite"):
        workbench.convert(converted["saved_model/float32"], "packed", dataset=digits, workspace=workspace)
