import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from workbench.convert.adopt import adopt
from workbench.convert.incoming import private_copy
from workbench.convert.incoming.private_copy import describe
from workbench.convert.incoming.saved_model_ops import CALCULATING, RESTORING, SAVING
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, UntrustedModelError
from workbench.core.workspace import Workspace
from workbench.jobs import submit


def _made(workspace: Workspace, *names: str) -> dict[str, Path]:
    written = submit("foreign_models:write", {"names": list(names)}, kind="probe", workspace=workspace).wait(300)
    return {name: Path(path) for name, path in written.items()}


@pytest.fixture(scope="module")
def module(workspace: Workspace) -> Path:
    return _made(workspace, "module")["module"]


@pytest.fixture(scope="module")
def adopted(module: Path, workspace: Workspace) -> Artifact:
    return adopt(module, workspace=workspace)


def test_a_saved_model_that_is_no_keras_model_comes_in(adopted: Artifact, module: Path) -> None:
    assert adopted.label == "saved_model/float32"
    assert adopted.metrics["lost"] == []
    assert adopted.settings["signatures"] == ["both", "serving_default", "shifted"]
    assert adopted.metrics["inputs"] == [{"name": "x0", "dtype": "float32", "shape": [-1, 4]}]
    assert adopted.metrics["outputs"] == [{"name": "y", "dtype": "float32", "shape": [-1, 2]}]
    for file in ("saved_model.pb", "variables/variables.index"):
        assert (adopted.path / file).read_bytes() == (module / file).read_bytes()


def test_who_adopts_it_again_gets_the_same(adopted: Artifact, module: Path, workspace: Workspace) -> None:
    assert adopt(module, workspace=workspace) == adopted


@pytest.mark.thorough
def test_another_signature_is_exported_as_the_default_one(module: Path, workspace: Workspace) -> None:
    artifact = adopt(module, signature="shifted", workspace=workspace)
    assert artifact.metrics["lost"] == ["the signature both", "the signature serving_default"]
    asked = {"folder": str(artifact.folder), "sha256": artifact.sha256}
    answers = submit("foreign_models:answers", asked, kind="probe", workspace=workspace).wait(120)
    weights = np.arange(8.0).reshape(4, 2) / 8
    assert np.asarray(answers) == pytest.approx(np.ones((3, 4)) @ weights + 1.0)


def test_a_signature_with_two_inputs_is_named_with_those_that_have_one(module: Path, workspace: Workspace) -> None:
    sentence = r"must have one input in its signature both, got \['x0', 'x1'\]; choose .*: serving_default, shifted"
    with pytest.raises(BadInputError, match=sentence):
        adopt(module, signature="both", workspace=workspace)


def test_a_signature_that_is_not_there_is_refused_with_those_that_are(module: Path, workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match=r"the signature nope, got \['both', 'serving_default', 'shifted'\]"):
        adopt(module, signature="nope", workspace=workspace)


def test_a_signature_is_for_saved_models_only(tmp_path: Path, workspace: Workspace) -> None:
    (tmp_path / "m.keras").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(BadInputError, match="signature must be left out for what is no SavedModel"):
        adopt(tmp_path / "m.keras", signature="other", workspace=workspace)


@pytest.mark.parametrize(
    "name",
    [
        "writing",
        *(pytest.param(name, marks=pytest.mark.thorough) for name in ("reading", "calling", "printing")),
        pytest.param("saver_is_called", marks=pytest.mark.thorough),
    ],
)
def test_what_does_more_than_calculate_is_refused_unless_trusted(name: str, workspace: Workspace) -> None:
    kinds = {
        "writing": "WriteFile",
        "reading": "ReadFile",
        "calling": "EagerPyFunc",
        "printing": "PrintV2",
        "saver_is_called": "ShardedFilename|SaveV2|MergeV2Checkpoints",
    }
    path = _made(workspace, name)[name]
    with pytest.raises(UntrustedModelError, match=rf"has the operation ({kinds[name]}) in .*adopt it with trust=True"):
        adopt(path, workspace=workspace)


@pytest.mark.thorough
def test_who_vouches_gets_what_reads_files(workspace: Workspace) -> None:
    artifact = adopt(_made(workspace, "reading")["reading"], trust=True, workspace=workspace)
    assert artifact.settings["trusted"] is True
    assert workspace.trusts(artifact.sha256)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("no_default", r"must have the signature serving_default, got \['shifted'\]; choose one with signature=…"),
        ("two_inputs", r"must have one input in its signature serving_default, got \['x0', 'x1'\]; .*: plain"),
        ("strings", "must have numbers as input in its signature serving_default, got 'string'"),
        ("not_a_number", "must have finite weights, got '2 NaN in Variable"),
        ("custom_operation", r"must have operations of TensorFlow only, got 'OursAlone in .*; a custom operation"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(name: str, named: str, workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match=named) as told:
        adopt(_made(workspace, name)[name], workspace=workspace)
    assert "\n" not in str(told.value)


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["keras_saved_model", "keras3_export", "branching", "tensorflow_1"])
def test_saved_models_of_all_makers_come_in(name: str, workspace: Workspace) -> None:
    artifact = adopt(_made(workspace, name)[name], workspace=workspace)
    assert artifact.label == "saved_model/float32"
    # What Keras says of its layers may hold code, and nothing that serves asks for it.
    assert artifact.metrics["lost"] == (["Keras' description of the layers"] if name == "keras_saved_model" else [])
    assert not (artifact.path / "keras_metadata.pb").exists()
    asked = {"folder": str(artifact.folder), "sha256": artifact.sha256}
    assert np.isfinite(submit("foreign_models:answers", asked, kind="probe", workspace=workspace).wait(120)).all()


@pytest.mark.thorough
def test_files_that_no_saved_model_has_stay_behind(module: Path, tmp_path: Path, workspace: Workspace) -> None:
    shutil.copytree(module, tmp_path / "model")
    (tmp_path / "model" / "notes.txt").write_text("mine")
    artifact = adopt(tmp_path / "model", workspace=workspace)
    assert artifact.metrics["lost"] == ["the file notes.txt"]
    assert not (artifact.path / "notes.txt").exists()


def test_a_truncated_graph_is_one_sentence(module: Path, tmp_path: Path, workspace: Workspace) -> None:
    folder = shutil.copytree(module, tmp_path / "model")
    content = (module / "saved_model.pb").read_bytes()
    (folder / "saved_model.pb").write_bytes(content[:-100])
    with pytest.raises(BadInputError, match=rf"{re.escape(str(folder))} must have a whole saved_model\.pb, got"):
        adopt(folder, workspace=workspace)


@pytest.mark.thorough
def test_variables_that_are_cut_off_are_one_sentence(module: Path, tmp_path: Path, workspace: Workspace) -> None:
    folder = shutil.copytree(module, tmp_path / "model")
    os.truncate(folder / "variables" / "variables.data-00000-of-00001", 8)
    with pytest.raises(BadInputError, match=r"must be a SavedModel that TensorFlow .* can load") as told:
        adopt(folder, workspace=workspace)
    assert "\n" not in str(told.value)


def _empty(path: Path) -> Path:
    (path / "saved_model.pb").write_bytes(b"")
    return path


def test_a_link_in_a_directory_is_refused(tmp_path: Path) -> None:
    (_empty(tmp_path) / "assets").mkdir()
    (tmp_path / "assets" / "words.txt").symlink_to("/etc/passwd")
    with pytest.raises(BadInputError, match=r"must hold files only, got 'words\.txt, which is a link'"):
        describe(tmp_path)


def test_a_pipe_in_a_directory_is_refused(tmp_path: Path) -> None:
    os.mkfifo(_empty(tmp_path) / "pipe")
    with pytest.raises(BadInputError, match="must hold files only, got 'pipe, which is no file'"):
        describe(tmp_path)


def test_there_are_limits_to_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_copy, "_MOST_FILES", 3)
    monkeypatch.setattr(private_copy, "_LARGEST", 10_000)
    (_empty(tmp_path) / "large").write_bytes(bytes(20_000))
    with pytest.raises(BadInputError, match="must be at most 10000 bytes, got"):
        describe(tmp_path)
    for number in range(4):
        (tmp_path / str(number)).touch()
    with pytest.raises(BadInputError, match="must hold at most 3 files"):
        describe(tmp_path)


def test_a_directory_without_a_graph_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"must be .* a SavedModel directory.*, got 'the directory"):
        describe(tmp_path)


@pytest.mark.thorough
def test_every_listed_operation_is_one_of_tensorflow(workspace: Workspace) -> None:
    names = sorted(CALCULATING | RESTORING | SAVING)
    asked = {"names": names}
    assert submit("foreign_models:unknown_operations", asked, kind="probe", workspace=workspace).wait(120) == []


@pytest.mark.parametrize("name", ["ReadFile", "WriteFile", "PyFunc", "EagerPyFunc", "PrintV2", "SaveV2", "RestoreV2"])
def test_what_touches_files_is_not_listed_as_calculating(name: str) -> None:
    assert name not in CALCULATING
