import gzip
from pathlib import Path

import pytest

from tests.evaluate.packed_models import every_kind
from workbench.core.artifact import Artifact
from workbench.core.errors import WorkspaceError
from workbench.evaluate.packing import pack
from workbench.evaluate.sizes import measure_sizes


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    (tmp_path / "model.onnx").write_bytes(every_kind())
    return Artifact.write(tmp_path, file="model.onnx", name="small", format="onnx", numeric="float32")


def test_all_three_sizes_are_those_of_real_files(artifact: Artifact) -> None:
    data = artifact.path.read_bytes()
    found = measure_sizes(artifact)
    assert found.raw == len(data)
    assert found.gzip == len(gzip.compress(data, 6, mtime=0))
    assert found.packed == len(pack(data, "onnx"))
    assert found.packed < found.gzip < found.raw


def test_a_packed_model_weighs_what_it_weighs(artifact: Artifact) -> None:
    (artifact.folder / "model.packed").write_bytes(pack(artifact.path.read_bytes(), "onnx"))
    packed = Artifact.write(
        artifact.folder, file="model.packed", name="small", format="packed", numeric="float32"
    )  # fmt: skip
    found = measure_sizes(packed)
    assert found.packed == found.raw == (artifact.folder / "model.packed").stat().st_size


def test_a_directory_is_the_sum_of_its_files(artifact: Artifact, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "variables").mkdir(parents=True)
    for name in ("saved_model.pb", "variables/variables.data-00000-of-00001"):
        (folder / name).write_bytes(artifact.path.read_bytes())
    directory = Artifact.write(tmp_path, file="model", name="d", format="saved_model", numeric="float32")
    assert measure_sizes(directory).packed == 2 * len(pack(artifact.path.read_bytes(), "saved_model"))


def test_a_changed_file_is_not_measured(artifact: Artifact) -> None:
    artifact.path.write_bytes(b"other")
    with pytest.raises(WorkspaceError, match="truncated or changed"):
        measure_sizes(artifact)
