import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.evaluate.packed_models import kernel, small_network
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


@pytest.mark.parametrize("per_channel", [False, True])
def test_zeros_of_an_onnx_file_are_counted_around_its_zero_points(tmp_path: Path, *, per_channel: bool) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # All on one side of 0, so that the zero point is at the other end of the byte.
    kernels = {"conv": np.abs(kernel((8, 1, 3, 3), 0.5)), "dense": np.abs(kernel((288, 10), 0.7))}
    onnx.save(small_network(kernels), tmp_path / "float.onnx")
    target = tmp_path / "model.onnx"
    quantize_dynamic(tmp_path / "float.onnx", target, weight_type=QuantType.QUInt8, per_channel=per_channel)
    artifact = Artifact.write(tmp_path, file=target.name, name="small", format="onnx", numeric="dynamic")
    found = [each for each in inventory(artifact).tensors if each.prunable]
    assert {each.dtype for each in found} == {"uint8"}
    for each, values in zip(sorted(found, key=lambda each: each.elements), kernels.values(), strict=True):
        # Those that the rounding makes zero come on top.
        assert np.mean(values == 0) <= each.sparsity < np.mean(values == 0) + 0.02


@pytest.mark.parametrize("points", [np.array(-5, np.int8), np.arange(-3, 5, dtype=np.int8)])
def test_zeros_before_a_dequantize_node_are_counted_around_its_zero_points(tmp_path: Path, points: np.ndarray) -> None:
    whole = np.random.default_rng(0).integers(-20, 20, (8, 30)).astype(np.int8)
    zeros = np.random.default_rng(1).random((8, 30)) < 0.4
    zero = points.reshape(-1, 1)
    stored = np.where(zeros, zero, np.where(whole == zero, whole + 1, whole)).astype(np.int8)
    held = {"k": stored, "s": np.ones(points.shape, np.float32), "z": points}
    node = helper.make_node("DequantizeLinear", ["k", "s", "z"], ["y"], axis=0)
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [8, 30])
    initializers = [numpy_helper.from_array(each, name) for name, each in held.items()]
    onnx.save(helper.make_model(helper.make_graph([node], "g", [], [output], initializers)), tmp_path / "m.onnx")
    artifact = Artifact.write(tmp_path, file="m.onnx", name="small", format="onnx", numeric="int8")
    found = next(each for each in inventory(artifact).tensors if each.name == "k")
    assert found.zeros == zeros.sum()


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
