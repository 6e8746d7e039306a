"""Version folders: ours are checked against their manifest, others' are opened only where that is allowed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.serve.engines import lite_models
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, WorkspaceError
from workbench.core.workspace import Workspace
from workbench.evaluate.packing import pack
from workbench.serve.engines import engines, open_engine
from workbench.serve.signature import DEFAULT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace of its own for notes of what was tried."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def folder(tmp_path: Path, tiny_onnx: Artifact) -> Path:
    """A version folder with a manifest of ours."""
    place = tmp_path / "models" / "m" / "7"
    shutil.copytree(tiny_onnx.folder, place)
    return place


def ask(folder: Path, *, foreign: bool = False) -> list[list[float]]:
    engine = open_engine(folder, 1, foreign=foreign)
    one = engine.signatures[DEFAULT]
    x = np.zeros([2, *one.inputs[0].shape[1:]], np.float32)
    answer: list[list[float]] = engine.run(DEFAULT, {one.inputs[0].name: x})[one.outputs[0].name].tolist()
    engine.close()
    return answer


QUARTERS = [[0.25] * 4] * 2


def test_every_format_has_an_engine() -> None:
    assert set(engines.names()) == {"onnx", "packed", "saved_model", "tflite"}


def test_ours_is_opened(folder: Path) -> None:
    assert ask(folder) == QUARTERS


def test_a_changed_file_is_refused_without_its_place(folder: Path) -> None:
    file = folder / "model.onnx"
    file.write_bytes(file.read_bytes() + b" ")
    for foreign in (False, True):
        with pytest.raises(WorkspaceError, match="sha256") as caught:
            open_engine(folder, 1, foreign=foreign)
        assert str(folder.parent) not in str(caught.value)


@pytest.mark.parametrize("name", ["model.onnx", "net.tflite", "model.packed"])
def test_a_lone_file_is_opened_where_that_is_allowed(folder: Path, name: str, home: Path) -> None:
    content = (folder / "model.onnx").read_bytes()
    if name == "model.packed":
        content = pack(content, "onnx")
    elif name == "net.tflite":
        content = lite_models.fixed(1)
    for file in folder.iterdir():
        file.unlink()
    (folder / name).write_bytes(content)
    (folder / "README.txt").write_text("not a model")
    with pytest.raises(BadInputError, match="manifest"):
        open_engine(folder, 1)
    np.testing.assert_allclose(ask(folder, foreign=True), QUARTERS)
    assert len(list((Workspace.at(home).cache / "probed").iterdir())) == 1


def test_a_packed_one_of_ours(tmp_path: Path, tiny_onnx: Artifact) -> None:
    (tmp_path / "model.packed").write_bytes(pack(tiny_onnx.path.read_bytes(), "onnx"))
    Artifact.write(tmp_path, file="model.packed", name="tiny", format="packed", numeric="float32")
    assert ask(tmp_path) == QUARTERS


@pytest.mark.parametrize("files", [[], ["a.onnx", "b.onnx"], ["model.h5"]])
def test_a_folder_without_one_model(tmp_path: Path, files: list[str]) -> None:
    place = tmp_path / "1"
    place.mkdir()
    for file in files:
        (place / file).write_bytes(b"")
    with pytest.raises(BadInputError, match="must hold"):
        open_engine(place, 1, foreign=True)


@pytest.mark.parametrize(("name", "content"), [("model.onnx", b"?"), ("model.tflite", b"TFL3" * 99)])
def test_a_file_that_cannot_be_opened_dies_elsewhere(tmp_path: Path, name: str, content: bytes) -> None:
    place = tmp_path / "1"
    place.mkdir()
    (place / name).write_bytes(content)
    with pytest.raises(BadInputError, match=f"{name} must be a model") as caught:
        open_engine(place, 1, foreign=True)
    assert str(tmp_path) not in str(caught.value)


def test_what_a_process_said_of_a_file_before_it_ended_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    place = tmp_path / "1"
    place.mkdir()
    (place / "model.onnx").write_bytes(b"?")
    with pytest.raises(BadInputError, match="that the onnx engine can open, got"):
        open_engine(place, 1, foreign=True)
