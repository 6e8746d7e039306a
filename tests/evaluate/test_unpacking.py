from pathlib import Path

import pytest

import workbench
from tests.evaluate.packed_models import every_kind
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.evaluate.packing import pack

DATA = every_kind()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "small.packed").write_bytes(pack(DATA, "onnx"))
    return tmp_path / "small.packed"


@pytest.fixture
def packed(file: Path) -> Artifact:
    return Artifact.write(file.parent, file=file.name, name="small", format="packed", numeric="float32", seed=3)


def test_the_artifact_inside_is_the_one_that_was_packed(packed: Artifact, tmp_path: Path) -> None:
    inside = workbench.unpack(packed)
    assert (inside.label, inside.name, inside.parent, inside.seed) == ("onnx/float32", "small", packed.sha256, 3)
    assert inside.verify().path.read_bytes() == DATA
    assert inside.folder == packed.folder / "unpacked"
    assert workbench.unpack(packed.folder).path == workbench.unpack(packed).path == inside.path, "as often as one likes"
    assert workbench.unpack(packed, tmp_path / "here").folder == tmp_path / "here"
    packed.verify()


def test_a_file_is_unpacked_beside_it_or_where_one_likes(file: Path, tmp_path: Path) -> None:
    assert workbench.unpack(file) == tmp_path / "small.onnx"
    assert workbench.unpack(str(file), tmp_path / "other.onnx") == tmp_path / "other.onnx"
    (tmp_path / "folder").mkdir()
    assert workbench.unpack(file, tmp_path / "folder") == tmp_path / "folder" / "small.onnx"
    for path in tmp_path.rglob("*.onnx"):
        assert path.read_bytes() == DATA
    assert workbench.unpack(file) == tmp_path / "small.onnx", "it is there already"


def test_nothing_else_is_overwritten(file: Path, packed: Artifact, tmp_path: Path) -> None:
    (tmp_path / "small.onnx").write_bytes(b"mine")
    with pytest.raises(BadInputError, match="target must not exist yet"):
        workbench.unpack(file)
    with pytest.raises(BadInputError, match="target must be an empty folder"):
        workbench.unpack(packed, tmp_path)
    assert (tmp_path / "small.onnx").read_bytes() == b"mine"


def test_what_is_no_packed_model_is_said_to_be_none(file: Path, tmp_path: Path, trained: Artifact) -> None:
    other = tmp_path / "other.packed"
    other.write_bytes(b"PK\x03\x04 something else")
    with pytest.raises(BadInputError, match="packed file is no packed model"):
        workbench.unpack(other)
    other.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(BadInputError, match=r"packed file is truncated or damaged \(.+\), got '\d+ bytes'"):
        workbench.unpack(other)
    with pytest.raises(BadInputError, match="must be an existing file or an artifact's folder"):
        workbench.unpack(tmp_path / "nothing.packed")
    with pytest.raises(BadInputError, match="must be a packed artifact, got 'tf_keras/float32'"):
        workbench.unpack(trained)
    with pytest.raises(BadInputError, match="must be a packed Artifact or the path of one"):
        workbench.unpack(5)  # type: ignore[call-overload]
