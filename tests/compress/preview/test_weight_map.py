from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import workbench.convert
import workbench.train
from workbench.compress.preview.keras_kernels import read_keras_weights
from workbench.compress.preview.weight_map import WeightMap, read, weight_map
from workbench.convert.adopt import adopt
from workbench.core.artifact import Artifact
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.evaluate.tensors.onnx import OnnxTensors
from workbench.evaluate.tensors.tf_keras import TfKerasTensors
from workbench.jobs import submit


@pytest.fixture(scope="module")
def depthwise(workspace: Workspace) -> Artifact:
    written = submit("depthwise_models:write", {}, kind="probe", workspace=workspace).wait(120)
    return adopt(written, workspace=workspace)


@pytest.fixture(scope="module")
def onnx_of(digits: Dataset, workspace: Workspace) -> Callable[[Artifact], Artifact]:
    return lambda model: workbench.convert(model, "onnx", dataset=digits, workspace=workspace)


def mapped(model: Artifact, onnx: Artifact) -> WeightMap:
    return weight_map(model.path, onnx.path.read_bytes())


def stored(onnx: Artifact) -> dict[str, np.ndarray]:
    return {tensor.name: np.asarray(tensor.values) for tensor in OnnxTensors().read(onnx.path)}


def kernels(model: Artifact) -> dict[str, np.ndarray]:
    return {each.name: np.asarray(each.values) for each in TfKerasTensors().read(model.path) if each.values.ndim > 1}


def test_the_docs_network_is_mapped_as_a_whole(trained: Artifact, converted: dict[str, Artifact]) -> None:
    onnx = converted["onnx/float32"]
    found = mapped(trained, onnx)
    assert found.unmapped == {}
    assert [each.kernel.layer for each in found.kernels] == ["conv1", "conv2", "conv3", "dense", "probabilities"]
    initializers, keras = stored(onnx), kernels(trained)
    for each in found.kernels:
        ours, theirs = keras[each.kernel.weight], initializers[each.place.name]
        np.testing.assert_array_equal(theirs, ours.transpose(3, 2, 0, 1) if ours.ndim == 4 else ours)
        np.testing.assert_array_equal(read(onnx.path.read_bytes(), each.place), theirs)
        assert each.norm is None
        assert each.kernel.compressed


def test_a_network_without_convolutions_is_mapped(
    digits: Dataset, workspace: Workspace, onnx_of: Callable[[Artifact], Artifact]
) -> None:
    mlp = workbench.train(digits, "docs", architecture="mlp", epochs=1, workspace=workspace)
    found = mapped(mlp, onnx_of(mlp))
    assert found.unmapped == {}
    assert [each.kernel.weight for each in found.kernels] == ["dense/0", "probabilities/0"]


def test_scales_of_batch_norms_that_were_multiplied_in_are_found(
    depthwise: Artifact, onnx_of: Callable[[Artifact], Artifact]
) -> None:
    onnx = onnx_of(depthwise)
    found = mapped(depthwise, onnx)
    assert found.unmapped == {}
    assert {each.kernel.weight: each.norm for each in found.kernels} == {
        "stem/0": "stem_norm", "depthwise/0": "depthwise_norm", "pointwise/0": "pointwise_norm",
        "separable/0": None, "separable/1": None, "multiplied/0": None, "probabilities/0": None,
    }  # fmt: skip
    initializers = stored(onnx)
    norms = {each.name: np.asarray(each.values) for each in TfKerasTensors().read(depthwise.path)}
    for each in found.kernels:
        np.testing.assert_allclose(each.initializer, initializers[each.place.name], rtol=1e-5)
        if each.norm is not None:
            scale = norms[f"{each.norm}/0"] / np.sqrt(norms[f"{each.norm}/3"] + 1e-3)
            np.testing.assert_allclose(each.scale.reshape(-1), scale, rtol=1e-6)


def test_what_real_compression_leaves_alone_is_known(depthwise: Artifact) -> None:
    taken = {each.weight: each.compressed for each in read_keras_weights(depthwise.path).kernels}
    assert [weight for weight, compressed in taken.items() if not compressed] == [
        "depthwise/0", "separable/0", "multiplied/0",
    ]  # fmt: skip


def test_a_kernel_that_the_file_does_not_hold_is_named(trained: Artifact, converted: dict[str, Artifact]) -> None:
    content = bytearray(converted["onnx/float32"].path.read_bytes())
    place = mapped(trained, converted["onnx/float32"]).kernels[1].place
    content[place.offset : place.offset + 4] = np.float32(7).tobytes()
    found = weight_map(trained.path, bytes(content))
    assert list(found.unmapped) == ["conv2/0"]
    assert len(found.kernels) == 4


def test_a_kernel_that_the_file_holds_twice_is_named(
    trained: Artifact, converted: dict[str, Artifact], tmp_path: Path
) -> None:
    import onnx

    model = onnx.load(converted["onnx/float32"].path)
    dense = next(each for each in model.graph.initializer if "dense/MatMul" in each.name)
    twin = model.graph.initializer.add()
    twin.CopyFrom(dense)
    twin.name = "twin"
    onnx.save(model, tmp_path / "twice.onnx")
    found = weight_map(trained.path, (tmp_path / "twice.onnx").read_bytes())
    assert list(found.unmapped) == ["dense/0"]
    assert "more than once" in found.unmapped["dense/0"]
