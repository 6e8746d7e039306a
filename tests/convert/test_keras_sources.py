"""Models of Keras 3 and legacy files on their way, without a detour over tf_keras."""

import base64
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

import workbench.convert
import workbench.evaluate
from tests.convert.small_models import made, samples
from workbench.convert.routes import routes
from workbench.core.artifact import Artifact, Format
from workbench.core.errors import BadInputError, JobFailedError
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.evaluate.inventory import inventory
from workbench.jobs import submit

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def modern(workspace: Workspace) -> Artifact:
    return made("depthwise", "keras", workspace)


@pytest.fixture(scope="module")
def legacy(workspace: Workspace) -> Artifact:
    return made("depthwise", "tf_keras", workspace)


@pytest.fixture(scope="module")
def hdf5(workspace: Workspace) -> Artifact:
    return made("depthwise", "tf_keras", workspace, format="h5")


@pytest.mark.parametrize("target", ["saved_model", "tf_keras", "keras", "onnx", "tflite"])
def test_a_legacy_file_goes_everywhere(target: Format, hdf5: Artifact, workspace: Workspace) -> None:
    made_ = workbench.convert(hdf5, target, workspace=workspace)
    assert made_.metrics["parity"]["max_abs"] <= 1e-5
    assert made_.parent == hdf5.sha256


@pytest.mark.parametrize(
    ("name", "target"), [("modern", "h5"), ("modern", "tf_keras"), ("legacy", "h5"), ("legacy", "keras")]
)
def test_layers_are_rebuilt_in_each_file_of_layers(
    name: str, target: Format, request: pytest.FixtureRequest, workspace: Workspace
) -> None:
    source: Artifact = request.getfixturevalue(name)
    again = workbench.convert(source, target, workspace=workspace)
    assert again.metrics["parity"]["max_abs"] <= 1e-5
    ours, theirs = ({t.name: (t.shape, t.zeros) for t in inventory(each).tensors} for each in (again, source))
    assert ours == theirs


@pytest.mark.parametrize("model", ["attention", "lstm", "gated", "tokens", "residual"])
def test_there_and_back_between_both_keras(model: str, workspace: Workspace) -> None:
    modern = made(model, "keras", workspace)
    there = workbench.convert(modern, "tf_keras", workspace=workspace)
    back = workbench.convert(there, "keras", workspace=workspace)
    assert max(each.metrics["parity"]["max_abs"] for each in (there, back)) <= 1e-5
    ours, theirs = ({t.name: t.shape for t in inventory(each).tensors if t.weights} for each in (back, modern))
    assert sorted(ours.values()) == sorted(theirs.values())


@pytest.mark.parametrize(("name", "target"), [("legacy", "keras"), ("legacy", "h5"), ("modern", "tf_keras")])
def test_the_same_model_has_the_same_bytes(
    name: str, target: Format, request: pytest.FixtureRequest, workspace: Workspace
) -> None:
    source: Artifact = request.getfixturevalue(name)
    first, second = (
        workbench.convert(source, target, parity_samples=samples_, workspace=workspace) for samples_ in (20, 21)
    )
    assert first.folder != second.folder
    assert first.sha256 == second.sha256


def test_a_layer_without_a_twin_is_told_before_anything_is_tried(workspace: Workspace) -> None:
    source = made("groups", "keras", workspace)
    said = {edge.target: edge for edge in routes(source, workspace=workspace).edges if edge.source == source.label}
    for target in ("tf_keras/float32", "h5/float32"):
        assert not said[target].available
        assert said[target].reason == "Its layer GroupNormalization has no tf_keras twin."
    with pytest.raises(BadInputError, match=r"layer groups \(GroupNormalization\) has no tf_keras twin"):
        workbench.convert(source, "h5", workspace=workspace)
    assert workbench.convert(source, "onnx", workspace=workspace).metrics["parity"]["passed"]


def test_a_legacy_file_is_evaluated_and_goes_back(legacy: Artifact, workspace: Workspace) -> None:
    data = samples("depthwise", workspace)
    there = workbench.convert(legacy, "h5", workspace=workspace)
    back = workbench.convert(there, "tf_keras", workspace=workspace)
    found = [workbench.evaluate(each, data, workspace=workspace).correct for each in (legacy, there, back)]
    assert found[0] == found[1] == found[2]


def test_a_packed_model_comes_out_as_it_went_in(legacy: Artifact, workspace: Workspace) -> None:
    packed = workbench.convert(legacy, "packed", workspace=workspace)
    assert workbench.convert(packed, "tf_keras", workspace=workspace).sha256 == legacy.sha256
    other = workbench.convert(workbench.convert(legacy, "onnx", workspace=workspace), "packed", workspace=workspace)
    with pytest.raises(BadInputError, match="must hold a tf_keras model to be unpacked to one, got 'packed onnx'"):
        workbench.convert(other, "tf_keras", workspace=workspace)


def test_a_keras_3_model_is_packed_and_answers(modern: Artifact, workspace: Workspace) -> None:
    packed = workbench.convert(modern, "packed", workspace=workspace)
    assert packed.metrics["inside"] == "keras"
    assert packed.metrics["parity"]["max_abs"] == 0


def test_both_exporters_are_tried_and_the_better_is_kept(modern: Artifact, workspace: Workspace) -> None:
    kept = workbench.convert(modern, "onnx", tool="best", workspace=workspace)
    tried = {each["tool"]: each for each in kept.metrics["tried"]}
    assert tried.keys() == {"tf2onnx", "keras"}
    assert {each["status"] for each in tried.values()} == {"passed"}
    best = min(tried.values(), key=lambda each: (each["parity"]["max_abs"], each["bytes"]))
    assert kept.metrics["tool"] == best["tool"]
    assert kept.sizes().raw == best["bytes"]
    assert kept.metrics["parity"] == best["parity"]


def test_one_that_cannot_is_no_obstacle(workspace: Workspace) -> None:
    attention = made("attention", "keras", workspace)
    kept = workbench.convert(attention, "onnx", tool="best", workspace=workspace)
    assert [(each["tool"], each["status"]) for each in kept.metrics["tried"]] == [
        ("tf2onnx", "passed"), ("keras", "failed"),
    ]  # fmt: skip
    with pytest.raises(BadInputError, match=r"must be convertible to onnx/float32.*Erfc.*convert it to tflite instead"):
        workbench.convert(attention, "onnx", tool="keras", workspace=workspace)


def test_both_quantizers_can_be_asked_for(legacy: Artifact, workspace: Workspace) -> None:
    for tool in ("LiteRT quantizer", "TFLiteConverter"):
        made_ = workbench.convert(legacy, "tflite", numeric="int8", tool=tool, min_agreement=0.9, workspace=workspace)
        assert made_.metrics["tool"] == tool


@pytest.mark.parametrize(("io", "dtype"), [("uint8", np.uint8), ("float32", np.float32), ("int8", np.int8)])
def test_integers_inside_take_what_was_asked_for(io: Any, dtype: Any, modern: Artifact, workspace: Workspace) -> None:
    made_ = workbench.convert(modern, "tflite", numeric="int8", io=io, min_agreement=0.9, workspace=workspace)
    interpreter = Interpreter(model_path=str(made_.path))
    for details in (interpreter.get_input_details()[0], interpreter.get_output_details()[0]):
        assert details["dtype"] is dtype
    assert made_.metrics["parity"]["max_abs"] < 0.1


@pytest.mark.parametrize("opset", [9, 12, 18, 20, 26])
def test_operator_sets_old_and_new(opset: int, modern: Artifact, workspace: Workspace) -> None:
    import onnx

    made_ = workbench.convert(modern, "onnx", opset=opset, workspace=workspace)
    assert {each.domain: each.version for each in onnx.load(made_.path).opset_import}[""] == opset


@pytest.mark.parametrize("name", ["modern", "legacy", "hdf5"])
def test_weights_that_are_no_numbers_are_refused(
    name: str, request: pytest.FixtureRequest, workspace: Workspace
) -> None:
    source: Artifact = request.getfixturevalue(name)
    library = "keras" if source.format == "keras" else "tf_keras"
    poisoned = made("depthwise", library, workspace, format=source.format, poison=True)
    with pytest.raises(BadInputError, match=r"depthwise_conv2d/0 must hold finite numbers only.*'3 of 9 that are not"):
        workbench.convert(poisoned, "onnx", workspace=workspace)


def test_limits_are_said_with_the_next_step(modern: Artifact, workspace: Workspace) -> None:
    with pytest.raises(JobFailedError, match=r"longer than its limit of 0\.2 s; ask for it with a larger time_limit"):
        workbench.convert(modern, "onnx", opset=13, time_limit=0.2, workspace=workspace)
    with pytest.raises(JobFailedError, match=r"more memory than its limit.*; ask for it with a larger memory_limit"):
        workbench.convert(modern, "tflite", numeric="float16", memory_limit=0.01, workspace=workspace)
    # A limit is no part of the question: what was converted once is not converted again.
    first = workbench.convert(modern, "onnx", opset=13, workspace=workspace)
    assert workbench.convert(modern, "onnx", opset=13, time_limit=300, workspace=workspace).folder == first.folder


@pytest.mark.parametrize("target", ["saved_model", "tflite", "onnx", "tf_keras", "h5"])
def test_samples_of_another_shape_are_one_sentence(
    target: Format, modern: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    with pytest.raises(BadInputError, match=r"dataset must have samples of the model's shape \(12, 12, 1\), got \(28,"):
        workbench.convert(modern, target, dataset=digits, workspace=workspace)


def test_a_saved_model_takes_image_files(modern: Artifact, workspace: Workspace) -> None:
    made_ = workbench.convert(modern, "saved_model", bytes_signature=True, workspace=workspace)
    grey = np.arange(144, dtype=np.uint8).reshape(12, 12)
    coloured = np.random.default_rng(0).integers(0, 256, (30, 20, 3)).astype(np.uint8)
    files = [_png(grey), _png(coloured), _png(np.full((12, 12), 255, np.uint8))]
    asked = {"path": str(made_.path), "files": [base64.b64encode(file).decode() for file in files]}
    said = submit("format_models:ask_with_bytes", asked, kind="probe", workspace=workspace).wait(120)
    assert said["signatures"] == ["serving_bytes", "serving_default"]
    answers = np.asarray(said["bytes"])
    assert answers.shape == (3, 4)
    # Of the model's own size nothing but the scale is left to do.
    assert answers[[0, 2]] == pytest.approx(np.asarray(said["arrays"])[[0, 2]], abs=1e-6)
    assert answers.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert "decode" in said["broken"].lower()


def test_a_bytes_signature_needs_images(workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match="bytes_signature must be off for a model that does not take"):
        workbench.convert(made("mlp", "keras", workspace), "saved_model", bytes_signature=True, workspace=workspace)


def _png(pixels: np.ndarray) -> bytes:
    """Write a PNG: one chunk each of header, pixels and end."""
    height, width = pixels.shape[:2]

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if pixels.ndim == 2 else 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
