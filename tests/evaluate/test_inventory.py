import shutil
import sys
from pathlib import Path

import pytest

from workbench.core.artifact import Artifact
from workbench.core.errors import WorkspaceError
from workbench.evaluate.inventory import inventory

KERNELS = {(3, 3, 1, 32), (3, 3, 32, 64), (3, 3, 64, 64), (576, 64), (64, 10)}


def _sizes(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(shape))


@pytest.mark.parametrize("label", ["tf_keras/float32", "saved_model/float32", "onnx/float32", "tflite/float32"])
def test_all_parameters_of_the_docs_cnn_are_found_in_every_format(
    label: str, trained: Artifact, converted: dict[str, Artifact]
) -> None:
    found = inventory({trained.label: trained, **converted}[label])
    assert found.parameters == 93_322
    kernels = [each for each in found.tensors if each.prunable]
    # Formats lay kernels out in their own order of axes.
    assert sorted(_sizes(each.shape) for each in kernels) == sorted(_sizes(shape) for shape in KERNELS)
    assert {each.bits for each in kernels} == {32}
    assert found.sparsity < 0.01
    assert "tensorflow" not in sys.modules


def test_int8_kernels_are_counted_around_their_zero_point(converted: dict[str, Artifact]) -> None:
    kernels = [each for each in inventory(converted["tflite/int8"]).tensors if each.prunable]
    assert {(each.bits, each.dtype) for each in kernels} == {(8, "int8")}
    assert all(each.unique <= 255 for each in kernels)
    assert sum(each.bytes for each in kernels) == 93_088


def test_layers_keep_their_names(trained: Artifact) -> None:
    names = {each.name for each in inventory(trained).tensors}
    assert {"conv1/0", "conv1/1", "dense/0"} <= names


def test_a_changed_file_is_not_counted(converted: dict[str, Artifact], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(converted["onnx/float32"].folder, copy)
    artifact = Artifact.load(copy)
    artifact.path.write_bytes(b"no model")
    with pytest.raises(WorkspaceError, match="truncated or changed"):
        inventory(artifact)
