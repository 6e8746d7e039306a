"""What is in an archive, and what is refused."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from workbench.core.artifact import MANIFEST, Artifact
from workbench.core.errors import BadInputError, GateFailedError, WorkspaceError
from workbench.core.records import Evaluation, ModelCard, Override, Verdict, read_record
from workbench.package import archive as archives
from workbench.package.bundle import package
from workbench.package.verify import verify

if TYPE_CHECKING:
    from pathlib import Path


def names(archive: Path) -> list[str]:
    with tarfile.open(archive) as tar:
        return tar.getnames()


def text(archive: Path, name: str) -> str:
    with tarfile.open(archive) as tar:
        found = tar.extractfile(name)
        assert found is not None
        return found.read().decode()


def test_it_holds_the_model_in_the_layout_of_tensorflow_serving(archive: Path, tiny: Artifact) -> None:
    found = names(archive)
    assert found == sorted(found)
    assert archive.name == "tiny-1.tar.gz"
    assert {name.split("/")[0] for name in found} == {"tiny-1"}
    assert {"models/tiny/1/model.onnx", "models/tiny/1/manifest.json"} == {
        name.removeprefix("tiny-1/") for name in found if "/models/" in name
    }
    with tarfile.open(archive) as tar:
        assert {(one.mtime, one.uid, one.gid, one.uname, one.mode) for one in tar} == {(0, 0, 0, "", 0o644)}
        model = tar.extractfile("tiny-1/models/tiny/1/model.onnx")
        assert model is not None
        assert model.read() == tiny.path.read_bytes()


def test_the_sums_are_those_that_sha256sum_checks(unpacked: Path) -> None:
    done = subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=unpacked, capture_output=True, check=True)
    listed = len((unpacked / "SHA256SUMS").read_text().splitlines())
    assert done.stdout.count(b": OK") == listed == sum(path.is_file() for path in unpacked.rglob("*")) - 1


def test_the_same_model_is_the_same_archive(
    archive: Path, tiny: Artifact, passed: Verdict, evaluation: Evaluation, tmp_path: Path
) -> None:
    again = package(tiny, tmp_path / "again.tar.gz", name="tiny", verdict=passed, evaluation=evaluation)
    assert again.read_bytes() == archive.read_bytes()
    other = package(tiny, tmp_path / "other.tgz", name="tiny", version=2, verdict=passed, evaluation=evaluation)
    assert other.read_bytes() != archive.read_bytes()


def test_an_archive_of_that_name_is_replaced_as_a_whole(
    tiny: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = package(tiny, tmp_path, name="tiny")
    before = made.read_bytes()

    def full(_: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archives, "size_of", full)
    with pytest.raises(WorkspaceError, match="No space left"):
        package(tiny, tmp_path, name="tiny", version=1, sign=None)
    assert [path.name for path in tmp_path.iterdir()] == [made.name]
    assert made.read_bytes() == before


def test_the_card_tells_what_was_measured_and_what_not(unpacked: Path, tiny: Artifact) -> None:
    card = read_record(unpacked / "model_card.json", ModelCard)
    said = (unpacked / "MODEL_CARD.md").read_text()
    assert (card.model, card.seed, card.settings["sparsity"]) == (tiny.sha256, 7, 0.8)
    assert "Accuracy **0.9300** (95 % interval 0.9000 to 0.9500) on 100 samples, the test split of digits" in said
    assert r"| a\|b | 1.0000 | 0.5000 | 0.6700 | 100 |" in said
    assert "- passed: Accuracy on digits (test) is at least 90.00 %: 93.00 %." in said
    assert json.loads((unpacked / "verdict.json").read_text()) == card.to_json()["verdict"]


def test_where_files_lay_on_the_makers_machine_is_left_out(unpacked: Path) -> None:
    settings = json.loads((unpacked / f"models/tiny/1/{MANIFEST}").read_text())["settings"]
    assert settings == {"path": "model.keras", "sparsity": 0.8, "made": ["place.onnx"]}
    every = "".join(path.read_text(errors="replace") for path in unpacked.rglob("*") if path.is_file())
    assert "somebody/secret" not in every
    assert "~/" not in every


def test_a_model_that_no_gate_saw_says_so(tiny: Artifact, tmp_path: Path) -> None:
    made = package(tiny, tmp_path, name="tiny")
    assert json.loads(text(made, "tiny-1/verdict.json")) == {"passed": None, "lines": []}
    assert "No gate was asked." in text(made, "tiny-1/MODEL_CARD.md")
    assert verify(made).passed


def test_what_a_gate_refused_needs_somebody_who_answers_for_it(tiny: Artifact, failed: Verdict, tmp_path: Path) -> None:
    with pytest.raises(GateFailedError, match=r"Accuracy is too low\. Give an Override\(who, why\)"):
        package(tiny, tmp_path, name="tiny", verdict=failed)
    assert not list(tmp_path.iterdir())
    made = package(tiny, tmp_path, name="tiny", verdict=failed, override=Override(who="Ada", why="for the lesson"))
    assert "It **failed**. Ada let it through: for the lesson" in text(made, "tiny-1/MODEL_CARD.md")


def test_a_saved_model_lies_at_the_top_of_its_version(saved: Artifact, tmp_path: Path) -> None:
    made = package(saved, tmp_path, name="saved", version=3)
    inside = {name.removeprefix("saved-3/models/saved/3/") for name in names(made) if "/models/" in name}
    assert {"saved_model.pb", "variables/variables.index", "variables.txt", "manifest.json"} <= inside
    found = verify(made)
    assert (found.passed, found.name, found.version) == (True, "saved", 3)


def test_a_version_folder_of_a_store_can_be_packed(saved: Artifact, tmp_path: Path) -> None:
    version = tmp_path / "models" / "saved" / "1"
    shutil.copytree(saved.path, version)
    shutil.copyfile(saved.folder / MANIFEST, version / MANIFEST)
    (version / "assets.extra").mkdir()
    (version / "assets.extra" / "tf_serving_warmup_requests").write_bytes(b"asked before it answers")
    made = package(Artifact.load(version), tmp_path / "stored.tar.gz", name="saved")
    assert "saved-1/models/saved/1/assets.extra/tf_serving_warmup_requests" in names(made)
    assert verify(made).passed
    (version / "saved_model.pb").write_bytes(b"another")
    with pytest.raises(WorkspaceError, match="was changed since its manifest was written"):
        package(Artifact.load(version), tmp_path, name="saved")


@pytest.mark.parametrize("name", ["", "..", "a/b", "-a", "a..b", "ä", "a" * 129])
def test_names_that_leave_a_folder_are_refused(name: str, tiny: Artifact, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="name must start with"):
        package(tiny, tmp_path, name=name)


def test_what_cannot_be_packed_is_refused(tiny: Artifact, evaluation: Evaluation, tmp_path: Path) -> None:
    foreign = evaluation.model_copy(update={"model": "f" * 64})
    with pytest.raises(BadInputError, match="evaluation must be of the model that is packed"):
        package(tiny, tmp_path, evaluation=foreign)
    with pytest.raises(BadInputError, match="artifact must be of format onnx, tflite, saved_model or packed"):
        package(tiny.model_copy(update={"format": "keras"}), tmp_path)
    with pytest.raises(BadInputError, match=r"path must be a folder, or end in \.tar\.gz"):
        package(tiny, tmp_path / "model.zip")
    with pytest.raises(BadInputError, match="version must be at least 0"):
        package(tiny, tmp_path, version=-1)
    with pytest.raises(BadInputError, match="artifact must be an Artifact"):
        package(tiny.path, tmp_path)  # type: ignore[arg-type]
    with pytest.raises(BadInputError, match="verdict must be a Verdict"):
        package(tiny, tmp_path, verdict=True)  # type: ignore[arg-type]


def test_a_model_that_was_changed_is_not_packed(tiny: Artifact, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(tiny.folder, folder)
    (folder / "model.onnx").write_bytes(b"another")
    with pytest.raises(WorkspaceError, match="was truncated or changed"):
        package(Artifact.load(folder), tmp_path)


def test_a_model_that_changes_while_it_is_packed_is_not_packed(
    saved: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(saved.folder, folder)
    first = archives.size_of

    def changing(content: archives.Content) -> int:
        if content == folder / "saved_model" / "saved_model.pb":
            content.write_bytes(b"A graph")
        return first(content)

    monkeypatch.setattr(archives, "size_of", changing)
    with pytest.raises(WorkspaceError, match=r"saved_model\.pb was changed while it was packed"):
        package(Artifact.load(folder), tmp_path, name="saved")
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_the_sum_of_the_archive_is_told(archive: Path) -> None:
    assert verify(archive).sha256 == hashlib.sha256(archive.read_bytes()).hexdigest()
