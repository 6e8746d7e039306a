import base64
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workbench.compress.damage import damage
from workbench.compress.preview import PreviewSettings, open_preview
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.records import Damage
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.evaluate.damage import damage_between
from workbench.evaluate.layer_error import layer_errors
from workbench.evaluate.metrics import as_probabilities
from workbench.evaluate.runtimes.base import open_runtime, predict_all
from workbench.evaluate.thumbnails import thumbnail


@pytest.fixture(scope="module")
def onnx(converted: dict[str, Artifact]) -> Artifact:
    return converted["onnx/float32"]


@pytest.fixture(scope="module")
def pruned(
    trained: Artifact, digits: Dataset, workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> Artifact:
    """The trained model with three of four weights gone and no fine-tuning: it errs."""
    folder = tmp_path_factory.mktemp("pruned")
    with open_preview(trained, digits, workspace=workspace) as preview:
        (folder / "model.onnx").write_bytes(preview.candidate(PreviewSettings(sparsity=0.75)).stored.data)
    return Artifact.write(folder, file="model.onnx", name="pruned", format="onnx", numeric="float32")


@pytest.fixture(scope="module")
def found(onnx: Artifact, pruned: Artifact, digits: Dataset) -> Damage:
    return damage_between(onnx, pruned, digits)


def probabilities(artifact: Artifact, data: Dataset) -> np.ndarray:
    with open_runtime(artifact) as runtime:
        return as_probabilities(predict_all(runtime, lambda part: data.floats("test", part), data.test_size))


def test_flips_are_those_of_both_models_answers(
    found: Damage, onnx: Artifact, pruned: Artifact, digits: Dataset
) -> None:
    before, after, labels = probabilities(onnx, digits), probabilities(pruned, digits), digits.labels("test")
    flipped = np.flatnonzero((before.argmax(1) == labels) & (after.argmax(1) != labels))
    assert found.flipped == len(flipped) > 5
    assert len(found.flips) == min(24, found.flipped)
    assert {flip.index for flip in found.flips} <= set(flipped.tolist())
    assert [flip.confidence_lost for flip in found.flips] == sorted(
        (flip.confidence_lost for flip in found.flips), reverse=True
    )
    worst = found.flips[0]
    lost = before[np.arange(len(labels)), labels] - after[np.arange(len(labels)), labels]
    assert worst.confidence_lost == pytest.approx(lost[flipped].max(), abs=1e-6)
    assert worst.label == digits.classes[labels[worst.index]] != worst.variant_label
    assert found.confidence_lost == pytest.approx(lost.mean(), abs=1e-6)
    assert found.drop * found.samples == pytest.approx(found.flipped - found.repaired)
    assert found.drop_low < found.drop < found.drop_high


def test_it_prints_who_paid_the_worst_first(found: Damage) -> None:
    lines = str(found).splitlines()
    assert lines[0].startswith(f"The drop is {100 * found.drop:.2f} points [{100 * found.drop_low:.2f}, ")
    worst = max(found.classes, key=lambda each: each.drop)
    place = lines.index("Classes by drop of recall:")
    assert lines[place + 1].startswith(f"  {worst.label}: {100 * worst.drop:.2f} points [")
    flip, place = found.flips[0], lines.index(f"Flips, the worst of {found.flipped}:")
    assert lines[place + 1].startswith(f"  number {flip.index}: {flip.label} ({flip.parent_confidence:.2f}) taken for")
    least = min((each for each in found.layers if each.snr_db is not None), key=lambda each: each.snr_db or 0)
    place = next(number for number, line in enumerate(lines) if line.startswith("Layers by signal over error"))
    assert lines[place + 1] == f"  {least.layer} ({least.operator}): {least.snr_db:.1f} dB, cosine {least.cosine:.4f}"
    assert "  … and " in found.text(most=1)
    assert repr(found).count("\n") == 0


def test_a_thumbnail_is_the_sample(found: Damage, digits: Dataset) -> None:
    flip = found.flips[0]
    with Image.open(io.BytesIO(base64.b64decode(flip.thumbnail))) as picture:
        np.testing.assert_array_equal(np.asarray(picture), digits.x_test[flip.index][..., 0])


def test_a_large_or_coloured_image_becomes_a_small_picture() -> None:
    image = np.random.default_rng(0).random((300, 200, 3), dtype=np.float32)
    with Image.open(io.BytesIO(base64.b64decode(thumbnail(image)))) as picture:
        assert (picture.size, picture.mode) == ((64, 96), "RGB")


def test_classes_add_up(found: Damage, digits: Dataset) -> None:
    assert [each.label for each in found.classes] == list(digits.classes)
    assert sum(each.lost for each in found.classes) == found.flipped
    assert sum(each.gained for each in found.classes) == found.repaired
    for each in found.classes:
        assert each.drop == pytest.approx(each.recall_before - each.recall_after)
        assert each.drop_low <= each.drop <= each.drop_high


def test_layers_drift_apart(found: Damage) -> None:
    assert [(each.layer, each.operator) for each in found.layers] == [
        ("conv1", "Conv"), ("conv2", "Conv"), ("conv3", "Conv"), ("dense", "MatMul"), ("probabilities", "MatMul"),
        ("output", ""),
    ]  # fmt: skip
    assert found.unmatched == ()
    assert found.layer_samples == 256
    assert all(each.mse > 0 and each.cosine < 1 for each in found.layers)


def test_the_errors_are_the_textbooks(found: Damage, onnx: Artifact, pruned: Artifact, digits: Dataset) -> None:
    images = np.linspace(0, digits.test_size - 1, found.layer_samples).astype(int)
    before, after = (probabilities(each, digits)[images] for each in (onnx, pruned))
    output, error = found.layers[-1], before - after
    assert output.mse == pytest.approx((error**2).mean(), rel=1e-4)
    assert output.snr_db == pytest.approx(10 * np.log10((before**2).sum() / (error**2).sum()), abs=1e-3)
    assert output.cosine == pytest.approx((before * after).sum() / np.sqrt((before**2).sum() * (after**2).sum()))


def test_a_model_does_not_damage_itself(onnx: Artifact, digits: Dataset) -> None:
    same = damage_between(onnx, onnx, digits)
    assert (same.drop, same.flipped, same.repaired, same.flips, same.confidence_lost) == (0, 0, 0, (), 0)
    assert {(each.mse, each.snr_db) for each in same.layers} == {(0.0, None)}
    assert all(each.cosine == pytest.approx(1) for each in same.layers)


def test_of_a_tflite_file_only_the_answers_are_compared(
    trained: Artifact, converted: dict[str, Artifact], digits: Dataset, workspace: Workspace
) -> None:
    made = damage(trained, converted["tflite/int8"], digits, workspace=workspace, worst=2)
    assert (made.parent, made.variant) == (trained.sha256, converted["tflite/int8"].sha256)
    assert made.layers == ()
    assert "only ONNX files show their layers' outputs, not tflite/int8" in made.unmatched[0]
    assert len(made.flips) <= 2


@pytest.fixture(scope="module")
def quantized(onnx: Artifact, digits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """ONNX Runtime's own quantizers, with nodes in between (QDQ) or with integer operators."""
    from onnxruntime import quantization

    folder = tmp_path_factory.mktemp("quantized")

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._batches = iter([{"image": digits.floats("train", slice(0, 64))}])

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self._batches, None)

    def make(kind: str) -> Path:
        path = folder / f"{kind}.onnx"
        if kind == "dynamic":
            quantization.quantize_dynamic(onnx.path, path)
        else:
            quantization.quantize_static(
                onnx.path, path, Reader(), quant_format=quantization.QuantFormat.QDQ,
                weight_type=quantization.QuantType.QInt8,
            )  # fmt: skip
        return path

    return make


@pytest.mark.filterwarnings("ignore")
def test_a_quantized_graph_is_matched_where_it_can_be(
    quantized: Callable[[str], Path], onnx: Artifact, digits: Dataset
) -> None:
    images = digits.floats("test", slice(0, 32))
    static = layer_errors(onnx.path.read_bytes(), quantized("static").read_bytes(), images)
    assert [each.layer for each in static.layers] == ["conv1", "conv2", "conv3", "dense", "probabilities", "output"]
    assert all((each.snr_db or 0) > 10 for each in static.layers)
    dynamic = layer_errors(onnx.path.read_bytes(), quantized("dynamic").read_bytes(), images)
    assert [each.layer for each in dynamic.layers] == ["output"]
    assert dynamic.unmatched[0] == "conv1 (Conv): the variant has 3 x ConvInteger, 2 x MatMulInteger in its place"


def test_another_architecture_is_no_variant_layer_by_layer(onnx: Artifact, digits: Dataset) -> None:
    import onnx as library

    model = library.load(onnx.path)
    softmax = model.graph.node[-1]
    extra = library.helper.make_node("MatMul", [softmax.output[0], "identity"], ["more"], name="a/extra/MatMul")
    model.graph.initializer.append(library.numpy_helper.from_array(np.eye(10, dtype=np.float32), "identity"))
    model.graph.node.append(extra)
    model.graph.output[0].name = "more"
    compared = layer_errors(model.SerializeToString(), onnx.path.read_bytes(), digits.floats("test", slice(0, 8)))
    assert compared.unmatched == ("extra (MatMul): the variant has nothing in its place",)
    assert [each.layer for each in compared.layers][-2:] == ["probabilities", "output"]


def test_what_needs_tensorflow_is_refused_here(trained: Artifact, onnx: Artifact, digits: Dataset) -> None:
    with pytest.raises(BadInputError, match="must answer without TensorFlow"):
        damage_between(trained, onnx, digits)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"worst": 0}, "worst must be at least 1"),
        ({"layer_samples": 0}, "layer_samples must be at least 1"),
        ({"worst": 1.5}, "worst must be a whole number"),
        ({"split": "validation"}, "split must be train or test"),
        ({"best": 5}, "must be given settings among split"),
    ],
)
def test_a_bad_setting_is_one_sentence(
    onnx: Artifact, digits: Dataset, wrong: dict[str, object], sentence: str
) -> None:
    with pytest.raises(BadInputError, match=sentence):
        damage(onnx, onnx, digits, **wrong)


def test_other_classes_than_the_models_are_refused(onnx: Artifact, workspace: Workspace) -> None:
    images, labels = np.zeros((30, 28, 28, 1), np.uint8), np.arange(30) % 3
    other = Dataset.from_arrays(images, labels, images, labels, name="three", workspace=workspace)
    with pytest.raises(BadInputError, match="one output for each of the dataset's 3 classes"):
        damage_between(onnx, onnx, other)
