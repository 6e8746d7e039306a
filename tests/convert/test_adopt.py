import json
import pickle
import shutil
import zipfile
from pathlib import Path

import pytest

import workbench.compress
import workbench.convert
import workbench.evaluate
from workbench.compress.magnitude_pruning import MagnitudePruning
from workbench.convert.adopt import STAGE, adopt
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, UntrustedModelError, WorkspaceError
from workbench.core.records import Parity
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.jobs import submit


@pytest.fixture(scope="module")
def files(workspace: Workspace) -> dict[str, Path]:
    written = submit("probe_models:write_all", {}, kind="probe", workspace=workspace).wait(120)
    return {name: Path(path) for name, path in written.items()}


@pytest.mark.parametrize("name", ["tf_keras", "h5"])
def test_a_model_of_tf_keras_comes_in(name: str, files: dict[str, Path], workspace: Workspace) -> None:
    artifact = adopt(files[name], workspace=workspace)
    assert artifact.label == "tf_keras/float32"
    assert artifact.metrics["parameters"] == 1546
    assert artifact.settings["trusted"] is False
    assert "optimizer state" in artifact.metrics["lost"]


@pytest.mark.parametrize("name", ["keras3", "keras3_h5", "residual"])
def test_a_keras_3_model_is_rebuilt_and_compared(name: str, files: dict[str, Path], workspace: Workspace) -> None:
    artifact = adopt(files[name], workspace=workspace)
    parity = Parity.from_json(artifact.metrics["parity"])
    assert parity.passed
    assert parity.max_abs < 1e-5
    assert artifact.settings["keras"].startswith("3.")


def test_what_came_in_goes_on(files: dict[str, Path], digits: Dataset, workspace: Workspace) -> None:
    artifact = adopt(files["keras3"], workspace=workspace)
    with pytest.raises(BadInputError, match="dataset must be given for a model that was not trained here"):
        workbench.convert(artifact, "onnx", workspace=workspace)
    assert workbench.convert(artifact, "onnx", dataset=digits, workspace=workspace).metrics["parity"]["passed"]


@pytest.mark.parametrize("name", ["lambda", "lambda_h5"])
def test_a_lambda_layer_is_refused_unless_trusted(
    name: str, files: dict[str, Path], digits: Dataset, workspace: Workspace
) -> None:
    with pytest.raises(UntrustedModelError, match=r"has a Lambda layer \(twice\).*trust=True"):
        adopt(files[name], workspace=workspace)
    artifact = adopt(files[name], trust=True, workspace=workspace)
    assert artifact.settings["trusted"] is True
    made = workbench.convert(artifact, "onnx", dataset=digits, workspace=workspace)
    assert made.metrics["parity"]["passed"]


@pytest.mark.parametrize("function", ["keras.utils.get_file", "io.read_file"])
def test_a_file_that_calls_functions_of_tensorflow_is_refused(
    function: str, tmp_path: Path, workspace: Workspace
) -> None:
    layer = {
        "module": "tf_keras.src.layers.core.tf_op_layer", "class_name": "TFOpLambda", "registered_name": "TFOpLambda",
        "config": {"name": "sneaky", "function": function},
    }  # fmt: skip
    config = {"module": "keras", "class_name": "Sequential", "config": {"name": "forged", "layers": [layer]}}
    with zipfile.ZipFile(tmp_path / "forged.keras", "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "2.21.0"}))
        archive.writestr("config.json", json.dumps(config))
    with pytest.raises(UntrustedModelError, match=r"forged\.keras asks for .*TFOpLambda \(sneaky\)"):
        adopt(tmp_path / "forged.keras", workspace=workspace)


class _Live:
    """A live model as far as it is told: it has a name and saves itself."""

    name = "net"

    def save(self, file: Path) -> None:
        layer = {"module": "team.layers", "class_name": "Mine", "registered_name": "Mine", "config": {"name": "ours"}}
        config = {"module": "keras", "class_name": "Sequential", "config": {"layers": [layer]}}
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
            archive.writestr("config.json", json.dumps(config))


def test_of_a_live_model_the_layer_is_named_and_no_file(workspace: Workspace) -> None:
    with pytest.raises(UntrustedModelError) as told:
        adopt(_Live(), workspace=workspace)
    assert str(told.value).startswith("the model net asks for team.layers.Mine (ours), a custom class whose code")


def test_a_manifest_cannot_vouch_for_code(files: dict[str, Path], digits: Dataset, workspace: Workspace) -> None:
    folder = workspace.new_run("forged") / "result"
    shutil.copyfile(files["lambda"], folder / "model.keras")
    forged = Artifact.write(
        folder, file="model.keras", name="m", format="tf_keras", numeric="float32", settings={"trusted": True}
    )
    with pytest.raises(BadInputError, match="without running code of its own"):
        workbench.convert(forged, "onnx", dataset=digits, workspace=workspace)


def test_who_vouched_for_a_model_vouched_for_its_pruned_self(
    files: dict[str, Path], digits: Dataset, workspace: Workspace
) -> None:
    trusted = adopt(files["lambda"], trust=True, workspace=workspace)
    assert workspace.trusts(trusted.sha256)
    assert not workspace.trusts(adopt(files["tf_keras"], workspace=workspace).sha256)
    pruned = workbench.compress(trusted, MagnitudePruning(epochs=1, min_steps=0), digits, workspace=workspace)
    assert workbench.evaluate(pruned, digits, workspace=workspace).model == pruned.sha256


def test_a_file_that_changed_meanwhile_is_not_adopted(files: dict[str, Path], workspace: Workspace) -> None:
    asked = {"path": str(files["h5"]), "sha256": "0" * 64, "companions": {}, "trust": False, "signature": None}
    with pytest.raises(WorkspaceError, match=rf"{files['h5'].name} was changed while it was adopted"):
        submit(STAGE, asked, kind="adopt", workspace=workspace).wait(60)


def test_a_pickle_is_refused(tmp_path: Path, workspace: Workspace) -> None:
    (tmp_path / "model.keras").write_bytes(pickle.dumps({"weights": [1.0]}))
    with pytest.raises(UntrustedModelError, match="is a pickle"):
        adopt(tmp_path / "model.keras", workspace=workspace)


def test_an_archive_with_a_pickle_inside_is_refused(
    files: dict[str, Path], tmp_path: Path, workspace: Workspace
) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(files["tf_keras"].read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("weights.pkl", pickle.dumps(1))
    with pytest.raises(UntrustedModelError, match=r"holds weights\.pkl"):
        adopt(path, workspace=workspace)


def test_several_inputs_are_refused(files: dict[str, Path], workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match="model must have one input and one output, got '2 and 1'"):
        adopt(files["two_inputs"], workspace=workspace)


def test_what_has_no_twin_stays_keras_3_and_says_so(files: dict[str, Path], workspace: Workspace) -> None:
    notes: list[str] = []
    artifact = adopt(
        files["grouped"],
        workspace=workspace,
        on_event=lambda event: notes.append(event.data["text"]) if event.type == "note" else None,
    )
    assert artifact.label == "keras/float32"
    reason = "layer groups (GroupNormalization) has no tf_keras twin"
    assert any(each.startswith("compression") and reason in each for each in artifact.metrics["lost"])
    assert any("stays a Keras 3 model" in note and reason in note for note in notes)
    assert artifact.metrics["inputs"][0]["shape"] == [-1, 6, 4]
    assert artifact.metrics["outputs"][0]["shape"] == [-1, 2]


@pytest.mark.parametrize("name", ["tf_keras", "h5"])
@pytest.mark.parametrize("share", [0.5, 0.98])
def test_a_truncated_file_is_one_sentence(
    name: str, share: float, files: dict[str, Path], tmp_path: Path, workspace: Workspace
) -> None:
    whole = files[name].read_bytes()
    path = tmp_path / f"model{files[name].suffix}"
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(BadInputError, match="must be a") as error:
        adopt(path, workspace=workspace)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "not an empty one"),
        (b"GIF89a....", "starts with b'GIF89a"),
        (None, "path must exist"),
    ],
)
def test_what_is_no_model_is_one_sentence(
    content: bytes | None, named: str, tmp_path: Path, workspace: Workspace
) -> None:
    path = tmp_path / "model.keras"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInputError, match=named):
        adopt(path, workspace=workspace)


def test_a_name_that_no_disk_takes_is_one_sentence(workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match=r"path must be one that you may read, got '.*too long: "):
        adopt("m" * 300, workspace=workspace)
    with pytest.raises(
        BadInputError, match=r"path must be of a person this machine knows, got '~nobody-here/m\.keras'"
    ):
        adopt("~nobody-here/m.keras", workspace=workspace)


def test_adopted_is_an_artifact_like_any_other(files: dict[str, Path], workspace: Workspace) -> None:
    artifact = adopt(files["h5"], workspace=workspace)
    assert Artifact.load(artifact.folder).verify() == artifact
