import json
from pathlib import Path
from typing import Any

import pytest

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, WorkspaceError


def artifact(folder: Path) -> Artifact:
    folder.mkdir(exist_ok=True)
    (folder / "model.onnx").write_bytes(bytes(10_000))
    return Artifact.write(
        folder, file="model.onnx", name="zeros", format="onnx", numeric="float32", parent="abc", seed=3
    )


def test_a_manifest_vouches_for_its_file(tmp_path: Path) -> None:
    written = artifact(tmp_path)
    assert Artifact.load(tmp_path) == written
    assert written.verify() is written
    assert written.label == "onnx/float32"
    assert written.versions["numpy"]
    assert written.sizes().raw == 10_000
    assert written.sizes().gzip < 100


def test_its_repr_says_how_right_a_trained_model_is(tmp_path: Path) -> None:
    written = artifact(tmp_path)
    assert "val_accuracy" not in repr(written)
    trained = written.model_copy(update={"metrics": {"val_accuracy": 0.97216}})
    assert repr(trained).startswith("Artifact('zeros', onnx/float32, val_accuracy=0.9722, sha256=")


def test_a_truncated_or_missing_file_is_noticed(tmp_path: Path) -> None:
    written = artifact(tmp_path)
    written.path.write_bytes(bytes(9_999))
    with pytest.raises(WorkspaceError, match="9999 bytes"):
        written.verify()
    written.path.unlink()
    with pytest.raises(WorkspaceError, match="is missing although its manifest names it"):
        written.verify()


def test_a_directory_is_addressed_by_names_and_contents(tmp_path: Path) -> None:
    model = tmp_path / "saved_model"
    (model / "variables").mkdir(parents=True)
    (model / "saved_model.pb").write_bytes(b"graph")
    (model / "variables" / "data").write_bytes(b"weights")
    written = Artifact.write(tmp_path, file="saved_model", name="m", format="saved_model", numeric="float32")
    assert written.sizes().raw == 12
    (model / "variables" / "data").rename(model / "variables" / "other")
    with pytest.raises(WorkspaceError):
        written.verify()


def test_a_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"artifact must be a folder with a manifest\.json"):
        Artifact.load(tmp_path)


@pytest.mark.parametrize("file", ["../secret", "/etc/passwd", "a/b", "a\\b", "..", ".", ""])
def test_a_manifest_names_no_file_elsewhere(file: str, tmp_path: Path) -> None:
    artifact(tmp_path)
    _rewrite(tmp_path, file=file)
    with pytest.raises(BadInputError, match="file must be a plain name in the artifact's folder"):
        Artifact.load(tmp_path)


def test_links_do_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    written = artifact(tmp_path / "m")
    written.path.rename(tmp_path / "elsewhere")
    written.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WorkspaceError, match=r"model\.onnx is a link that leads out"):
        written.verify()
    written.path.unlink()
    (tmp_path / "elsewhere").rename(tmp_path / "m" / "other")
    written.path.symlink_to("other")
    assert written.verify() is written


def test_a_folder_that_links_out_is_refused(tmp_path: Path) -> None:
    model = tmp_path / "m" / "saved_model"
    model.mkdir(parents=True)
    (tmp_path / "graph").write_bytes(b"graph")
    (model / "saved_model.pb").symlink_to(tmp_path / "graph")
    written = Artifact.write(tmp_path / "m", file="saved_model", name="m", format="saved_model", numeric="float32")
    with pytest.raises(WorkspaceError, match=r"saved_model\.pb is a link that leads out"):
        written.verify()


def test_a_model_made_anew_is_not_what_was_asked_for(tmp_path: Path) -> None:
    written = artifact(tmp_path)
    assert written.verify(written.sha256) is written
    with pytest.raises(WorkspaceError, match="must hold the model 000000000000… that was asked for"):
        written.verify("0" * 64)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"format": "pickle"}, "format: input should be"),
        ({"folder": "/tmp"}, "folder must not be in it"),
        ({"colour": "red"}, "colour: extra inputs"),
        ({"sha256": None}, "sha256: input should be a valid string"),
    ],
)
def test_a_damaged_manifest_is_one_sentence(changes: dict[str, Any], named: str, tmp_path: Path) -> None:
    artifact(tmp_path)
    _rewrite(tmp_path, **changes)
    with pytest.raises(WorkspaceError, match=rf"manifest\.json is damaged \({named}") as error:
        Artifact.load(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["[1]", "null", '"x"'])
def test_a_manifest_that_is_no_object_is_one_sentence(text: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(WorkspaceError, match="it must hold an object"):
        Artifact.load(tmp_path)


def _rewrite(home: Path, /, **changes: Any) -> None:
    path = home / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
