from pathlib import Path

import pytest

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, WorkspaceError


def artifact(folder: Path) -> Artifact:
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
