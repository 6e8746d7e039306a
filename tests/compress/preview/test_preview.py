import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto

import workbench.compress
import workbench.evaluate
from tests.evaluate.packed_models import onnx_file, tensors_of
from workbench.compress.magnitude_pruning import MagnitudePruning
from workbench.compress.preview import Preview, PreviewSettings, open_preview
from workbench.compress.preview.candidate import Original
from workbench.compress.preview.estimate import estimated
from workbench.compress.preview.growing_sample import GrowingSample, stratified_order
from workbench.compress.preview.keras_kernels import KerasKernel, read_keras_weights
from workbench.compress.preview.newest_wins import NewestWins
from workbench.compress.preview.perturb import LayerSetting
from workbench.compress.preview.weight_map import MappedKernel, read
from workbench.compress.sorted_clusters import centroids_of, nearest_in_order
from workbench.convert.adopt import adopt
from workbench.core.artifact import Artifact, gzip_length
from workbench.core.errors import BadInputError
from workbench.core.records.preview import PreviewAnswer
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.evaluate.intervals import wilson
from workbench.evaluate.inventory import inventory
from workbench.evaluate.packing import pack
from workbench.evaluate.packing.locate import locate
from workbench.evaluate.sizes import measure_sizes
from workbench.jobs import submit

COMBINED = PreviewSettings(sparsity=0.5, clusters=8, weight_bits=4)


@pytest.fixture(scope="module")
def preview(trained: Artifact, digits: Dataset, workspace: Workspace) -> Iterator[Preview]:
    with open_preview(trained, digits, workspace=workspace) as opened:
        yield opened


@pytest.fixture(scope="module")
def depthwise(digits: Dataset, workspace: Workspace) -> Iterator[Preview]:
    written = submit("depthwise_models:write", {}, kind="probe", workspace=workspace).wait(120)
    with open_preview(adopt(written, workspace=workspace), digits, workspace=workspace) as opened:
        yield opened


def weights(preview: Preview, settings: PreviewSettings) -> dict[str, np.ndarray]:
    """The initializers of a setting as its file has them, by the Keras weight's name."""
    data = preview.candidate(settings).floats.data
    return {each.kernel.weight: read(data, each.place) for each in preview.map.kernels}


def written(data: bytes, folder: Path) -> Artifact:
    folder.mkdir()
    (folder / "model.onnx").write_bytes(data)
    return Artifact.write(folder, file="model.onnx", name="candidate", format="onnx", numeric="float32")


def test_nothing_changed_answers_like_the_model(
    preview: Preview, trained: Artifact, digits: Dataset, converted: dict[str, Artifact], workspace: Workspace
) -> None:
    answer = preview.final(PreviewSettings())
    assert answer.accuracy == workbench.evaluate(trained, digits, workspace=workspace).accuracy
    assert (answer.drop, answer.p_value, answer.zeros) == (0.0, 1.0, 0.0)
    sizes = converted["onnx/float32"].sizes()
    assert (answer.sizes.raw, answer.sizes.gzip) == (sizes.raw, sizes.gzip)
    assert answer.bits == "float32 weights"


@pytest.mark.parametrize("settings", [PreviewSettings(sparsity=0.5, clusters=8), COMBINED])
def test_an_answer_is_what_a_file_with_these_weights_gives(
    settings: PreviewSettings, preview: Preview, digits: Dataset, tmp_path: Path, workspace: Workspace
) -> None:
    answer = preview.final(settings)
    candidate = preview.candidate(settings)
    floats = written(candidate.floats.data, tmp_path / "floats")
    assert answer.accuracy == workbench.evaluate(floats, digits, workspace=workspace).accuracy
    assert answer.sizes == measure_sizes(written(candidate.stored.data, tmp_path / "stored"))
    assert answer.zeros == pytest.approx(inventory(floats).sparsity, abs=1e-6)
    assert ("weights only" in answer.bits) == (settings is COMBINED)
    assert answer.drop == pytest.approx(answer.parent_accuracy.value - answer.accuracy.value)
    assert answer.drop_low <= answer.drop <= answer.drop_high


@pytest.mark.parametrize(("bits", "kind", "share"), [(8, "int8", 4), (5, "int8", 4), (4, "int4", 8), (2, "int4", 8)])
def test_few_bits_weigh_what_a_file_of_whole_numbers_weighs(
    bits: int, kind: str, share: int, preview: Preview, digits: Dataset
) -> None:
    settings = PreviewSettings(weight_bits=bits)
    answer, candidate = preview.first(settings), preview.candidate(settings)
    kernels = [each for each in onnx.load_from_string(candidate.stored.data).graph.initializer if len(each.dims) > 1]
    assert {TensorProto.DataType.Name(each.data_type).lower() for each in kernels} == {kind}
    images = digits.floats("test", slice(0, 50))
    # Without the fusions that compute a MatMul of whole numbers with rounded inputs.
    np.testing.assert_allclose(outputs(candidate.stored.data, images), candidate.answering().outputs(images), atol=1e-5)
    assert (answer.sizes.packed or 0) <= answer.sizes.gzip < answer.sizes.raw
    assert answer.sizes.raw < preview.first(PreviewSettings()).sizes.raw / share + 8000
    assert f"stored as {kind}" in answer.bits


def test_scales_of_few_channels_are_in_the_size_too() -> None:
    draw = np.random.default_rng(0)
    file = onnx_file({"dense": draw.normal(size=(40, 3)).astype(np.float32)})
    place = next(each for each in locate(file, "onnx") if each.name == "dense")
    keras = KerasKernel("dense", "dense/0", "Dense", read(file, place), compressed=True)
    original = Original(file, [MappedKernel(keras, place, (0, 1), 1, None, np.ones((1, 3), np.float32))])
    found = original.with_bits([original.kernels[0].perturbed(LayerSetting(bits=8))], 8).stored
    scale = tensors_of(found.data)["dense_scale"]
    np.testing.assert_allclose(scale * 127, np.abs(keras.values).max(axis=0), rtol=1e-5)
    assert found.packed(lambda: gzip_length(found.data)) == len(pack(found.data, "onnx"))


def outputs(data: bytes, images: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    session = onnxruntime.InferenceSession(data, options)
    return np.asarray(session.run(None, {session.get_inputs()[0].name: images})[0])


def test_answers_come_on_more_and_more_images(preview: Preview, digits: Dataset) -> None:
    answers = list(preview.answers(COMBINED))
    assert [answer.images for answer in answers] == [250, digits.test_size]
    assert [answer.final for answer in answers] == [False, True]
    assert answers[0].measured_on == f"measured on 250 of {digits.test_size} test samples"
    assert answers[0].sizes == answers[1].sizes
    assert preview.first(COMBINED).accuracy == answers[0].accuracy
    assert answers[0].accuracy.high - answers[0].accuracy.low > answers[1].accuracy.high - answers[1].accuracy.low


def test_each_layer_loses_the_share_asked_for(preview: Preview) -> None:
    before, after = weights(preview, PreviewSettings()), weights(preview, PreviewSettings(sparsity=0.6))
    for name, values in after.items():
        assert np.mean(values == 0) == pytest.approx(0.6, abs=0.6 / values.size + 1e-3)
        stays = values != 0
        # What stays is the file's own to the last bit, and it is the larger part.
        np.testing.assert_array_equal(values[stays], before[name][stays])
        assert np.abs(before[name][~stays]).max() <= np.abs(before[name][stays]).min()


def test_one_threshold_means_what_it_means_in_real_pruning(preview: Preview, trained: Artifact) -> None:
    kernels = {each.layer: [each.values] for each in read_keras_weights(trained.path).kernels}
    levels = MagnitudePruning(sparsity=0.7, scope="global").levels(kernels)
    for name, values in weights(preview, PreviewSettings(sparsity=0.7, scope="global")).items():
        assert np.mean(values == 0) == pytest.approx(levels[name.split("/")[0]], abs=1.1 / values.size)


@pytest.mark.thorough
@pytest.mark.parametrize("scope", ["layer", "global"])
def test_the_mask_is_that_of_real_pruning(
    scope: str, preview: Preview, trained: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    # Steps so small that no weight changes its place.
    method = MagnitudePruning(
        sparsity=0.6, scope=scope, sparsity_by_layer={"conv1": 0.25}, schedule="constant", epochs=1, min_steps=0,
        learning_rate=1e-12,
    )  # fmt: skip
    made = workbench.compress(trained, method, digits, workspace=workspace)
    ours = weights(preview, PreviewSettings(sparsity=0.6, scope=scope, sparsity_by_layer={"conv1": 0.25}))
    for kernel, mapped in zip(read_keras_weights(made.path).kernels, preview.map.kernels, strict=True):
        theirs = kernel.values.transpose(mapped.axes).reshape(mapped.place.shape)
        np.testing.assert_array_equal(ours[kernel.weight] == 0, theirs == 0)


def test_a_layer_can_have_a_sparsity_of_its_own(preview: Preview) -> None:
    found = weights(preview, PreviewSettings(sparsity=0.8, sparsity_by_layer={"conv1": 0.0, "dense": 0.95}))
    shares = {name: np.mean(values == 0) for name, values in found.items()}
    assert shares["conv1/0"] == 0
    assert shares["dense/0"] == pytest.approx(0.95, abs=1e-3)
    assert shares["conv3/0"] == pytest.approx(0.8, abs=1e-3)


def test_weights_share_values_and_zeros_stay(preview: Preview) -> None:
    pruned = weights(preview, PreviewSettings(sparsity=0.5))
    for name, values in weights(preview, PreviewSettings(sparsity=0.5, clusters=8)).items():
        assert len(np.unique(values)) <= 8
        np.testing.assert_array_equal(values == 0, pruned[name] == 0)
    assert all(len(np.unique(each)) <= 8 for each in weights(preview, PreviewSettings(clusters=8)).values())


def test_fewer_bits_are_even_steps_around_zero_in_each_channel(preview: Preview) -> None:
    before = weights(preview, PreviewSettings())
    for mapped in preview.map.kernels:
        values = weights(preview, PreviewSettings(weight_bits=3))[mapped.kernel.weight]
        channels = np.moveaxis(values, mapped.channel_axis, 0).reshape(values.shape[mapped.channel_axis], -1)
        largest = np.abs(np.moveaxis(before[mapped.kernel.weight], mapped.channel_axis, 0)).reshape(len(channels), -1)
        steps = channels / (largest.max(axis=1, keepdims=True) / 3)
        np.testing.assert_allclose(steps, np.rint(steps), atol=1e-5)
        assert np.abs(steps).max() == pytest.approx(3)


def test_a_folded_scale_does_not_hide_shared_values(depthwise: Preview) -> None:
    settings = PreviewSettings(sparsity=0.25, clusters=4)
    found = weights(depthwise, settings)
    before = weights(depthwise, PreviewSettings())
    for mapped in depthwise.map.kernels:
        values = found[mapped.kernel.weight]
        if not mapped.kernel.compressed:
            np.testing.assert_array_equal(values, before[mapped.kernel.weight])
        elif mapped.norm is not None:
            shared = np.sort((values / mapped.scale).ravel())
            assert 1 + np.count_nonzero(np.diff(shared) > 1e-5) <= 4  # the division is exact to 1e-7 only
    answer = depthwise.first(settings)
    assert set(answer.left_alone) == {"depthwise/0", "separable/0", "multiplied/0"}
    assert answer.unmapped == {}
    quantized = weights(depthwise, PreviewSettings(weight_bits=2))
    assert all(not np.array_equal(quantized[name], before[name]) for name in before)


def test_magnitudes_are_those_of_the_keras_weights(depthwise: Preview) -> None:
    stem = depthwise.map.kernels[0]
    assert stem.norm is not None
    zero = weights(depthwise, PreviewSettings(sparsity=0.5))[stem.kernel.weight] == 0
    assert np.abs(stem.layout[zero]).max() < np.abs(stem.layout[~zero]).min()


def test_a_newer_setting_ends_an_older_one(preview: Preview, digits: Dataset) -> None:
    answers: queue.Queue[PreviewAnswer] = queue.Queue()
    newer = PreviewSettings(sparsity=0.3)

    def listen(answer: PreviewAnswer) -> None:
        answers.put(answer)
        if answer.settings["sparsity"] != newer.sparsity:
            preview.ask(newer, answers.put)

    preview.ask(COMBINED, listen)
    seen = [(each.settings["sparsity"], each.images) for each in (answers.get(timeout=20) for _ in range(3))]
    assert seen == [(0.5, 250), (0.3, 250), (0.3, digits.test_size)]
    assert answers.empty()


def test_whoever_takes_no_more_answers_stops_the_work(preview: Preview) -> None:
    asked = iter([False, True])
    assert list(preview.answers(COMBINED, stop=lambda: next(asked, True))) == []
    answers = preview.answers(COMBINED)
    next(answers)
    answers.close()  # type: ignore[attr-defined]
    assert preview.first(PreviewSettings()).drop == 0


def test_a_closed_slider_answers_nobody(trained: Artifact, digits: Dataset, workspace: Workspace) -> None:
    opened = open_preview(trained, digits, workspace=workspace, threads=1)
    opened.close()
    with pytest.raises(BadInputError, match="must be open"):
        opened.ask(PreviewSettings(), lambda _: None)
    with pytest.raises(BadInputError, match="must be open"):
        opened.first(PreviewSettings())


def test_a_listeners_mistake_is_told_and_the_next_has_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    told: queue.Queue[threading.ExceptHookArgs] = queue.Queue()
    monkeypatch.setattr(threading, "excepthook", told.put)
    done: queue.Queue[bool] = queue.Queue()
    turns = NewestWins()
    turns.ask(lambda outdated: 1 / 0)  # type: ignore[arg-type,return-value] # noqa: ARG005
    assert told.get(timeout=10).exc_type is ZeroDivisionError
    turns.ask(lambda outdated: done.put(outdated()))
    assert done.get(timeout=10) is False
    turns.close()


@pytest.mark.parametrize(
    "wrong", [{"sparsity": 1.0}, {"clusters": 1}, {"weight_bits": 9}, {"sparsity_by_layer": {"conv1": 1.0}}]
)
def test_impossible_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInputError, match=f"{next(iter(wrong))}.* must be"):
        PreviewSettings(**wrong)


def test_a_slider_closed_by_its_listener_ends_in_silence(
    trained: Artifact, digits: Dataset, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    opened = open_preview(trained, digits, workspace=workspace)
    opened.ask(PreviewSettings(sparsity=0.5), lambda _: opened.close())
    thread = opened._pushed._thread
    assert thread is not None
    thread.join(30)
    assert not thread.is_alive()
    assert told == []


@pytest.mark.parametrize("threads", [0, 1.5, float("nan"), "2", 10**5])
def test_threads_are_a_whole_number(threads: object, trained: Artifact, digits: Dataset, workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match="threads must be"):
        open_preview(trained, digits, threads=threads, workspace=workspace)  # type: ignore[arg-type]


def test_wrong_types_are_refused_before_anything_is_asked(preview: Preview) -> None:
    with pytest.raises(BadInputError, match="settings must be PreviewSettings"):
        preview.first({"sparsity": 0.5})  # type: ignore[arg-type]
    with pytest.raises(BadInputError, match="on_answer must be a function"):
        preview.ask(PreviewSettings(), None)  # type: ignore[arg-type]
    with pytest.raises(BadInputError, match="stop must be a function, got None"):
        next(preview.answers(PreviewSettings(), stop=None))  # type: ignore[arg-type]
    with pytest.raises(BadInputError, match="limit must be at least 1"):
        list(preview.answers(PreviewSettings(), limit=0))


def test_an_unknown_layer_is_refused_at_once(preview: Preview) -> None:
    wrong = PreviewSettings(sparsity_by_layer={"conv9": 0.5})
    for ask in (preview.first, lambda settings: preview.ask(settings, lambda _: None)):
        with pytest.raises(BadInputError, match=r"must name layers that can be pruned here \(conv1, conv2"):
            ask(wrong)


def test_only_a_keras_model_can_be_opened(
    converted: dict[str, Artifact], digits: Dataset, workspace: Workspace
) -> None:
    with pytest.raises(BadInputError, match="must be a tf_keras model"):
        open_preview(converted["tflite/int8"], digits, workspace=workspace)


def test_other_classes_than_the_models_are_refused(trained: Artifact, workspace: Workspace) -> None:
    images, labels = np.zeros((30, 28, 28, 1), np.uint8), np.arange(30) % 3
    other = Dataset.from_arrays(images, labels, images, labels, name="three", workspace=workspace)
    with pytest.raises(BadInputError, match=r"as many classes as the model has outputs \(10\), got 3"):
        open_preview(trained, other, workspace=workspace)


def test_the_kernel_never_loads_tensorflow(preview: Preview, trained: Artifact, digits: Dataset) -> None:
    del preview  # the conversion is done
    code = (
        "import sys\n"
        "from workbench import Artifact\n"
        "from workbench.datasets import Dataset\n"
        "from workbench.compress.preview import PreviewSettings, open_preview\n"
        f"data, model = Dataset.open({str(digits.folder)!r}), Artifact.load({str(trained.folder)!r})\n"
        "with open_preview(model, data) as preview:\n"
        "    preview.first(PreviewSettings(sparsity=0.5))\n"
        "sys.exit(str({'tensorflow', 'tf_keras', 'keras', 'plotly'} & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert done.stderr.strip() == ""


def test_the_beginning_of_the_sample_speaks_for_all_of_it(digits: Dataset) -> None:
    labels = digits.labels("test")
    order = stratified_order(labels)
    assert sorted(order) == list(range(len(labels)))
    shares = np.bincount(labels) / len(labels)
    for count in (50, 250):
        np.testing.assert_allclose(np.bincount(labels[order[:count]], minlength=10), count * shares, atol=1.01)
    np.testing.assert_array_equal(order, stratified_order(labels))
    sample = GrowingSample.of(digits)
    np.testing.assert_array_equal(sample.images(0, len(sample)), digits.floats("test")[order])


@pytest.mark.parametrize(
    ("total", "limit", "stops"),
    [
        (10_000, None, [250, 1000, 2000, 4000, 8000, 10_000]),
        (10_000, 1000, [250, 1000]),
        (10_000, 250, [250]),
        (1000, None, [250, 1000]),
        (120, None, [120]),
    ],
)
def test_the_sample_grows_to_all_of_it(total: int, limit: int | None, stops: list[int]) -> None:
    sample = GrowingSample(np.zeros((total, 1), np.float32), np.zeros(total, np.int64), np.arange(total))
    assert sample.stops(limit) == stops


@pytest.mark.parametrize("clusters", [1, 2, 3, 16])
def test_clusters_are_as_tight_as_those_of_a_patient_search(clusters: int) -> None:
    from sklearn.cluster import KMeans

    values = np.sort(np.random.default_rng(3).laplace(size=3000).astype(np.float32))
    ours = centroids_of(values, clusters)
    error = float(((values - nearest_in_order(values, ours)) ** 2).sum())
    best = KMeans(clusters, n_init=5, random_state=0).fit(values[:, None]).inertia_
    assert len(ours) == clusters
    assert error <= 1.05 * best


def test_few_different_values_stay_as_they_are() -> None:
    values = np.array([-1, -1, 0.5, 0.5, 2], np.float32)
    np.testing.assert_array_equal(nearest_in_order(values, centroids_of(values, 8)), values)
    np.testing.assert_array_equal(centroids_of(np.full(5, 3, np.float32), 4), [3])


def test_an_estimate_passes_through_its_points_and_never_over_them() -> None:
    points = [(0.5, 0.99), (0.8, 0.985), (0.9, 0.97), (0.95, 0.97)]
    for place, accuracy in points:
        assert estimated(points, place).accuracy == pytest.approx(accuracy)
    between = [estimated(points, place).accuracy for place in np.linspace(0.5, 0.95, 91)]
    assert all(later <= earlier + 1e-12 for earlier, later in pairwise(between))  # type: ignore[operator]
    assert estimated(points, 0.7).text == "after fine-tuning, estimated from 4 points"
    assert estimated(points, 0.7).low is None


def test_an_estimate_carries_the_points_intervals() -> None:
    found = estimated([(0.5, wilson(990, 1000)), (0.9, wilson(950, 1000))], 0.7)
    assert found.low is not None
    assert found.high is not None
    assert wilson(950, 1000).low < found.low < (found.accuracy or 0) < found.high < wilson(990, 1000).high


@pytest.mark.parametrize("at", [0.4, 0.96])
def test_nothing_is_estimated_outside_of_what_was_measured(at: float) -> None:
    found = estimated([(0.5, 0.99), (0.95, 0.97)], at)
    assert found.accuracy is None
    assert found.text == f"No estimate: sparsity {at:g} lies outside the 2 measured points (0.5 to 0.95)."


def test_an_estimate_needs_a_point() -> None:
    with pytest.raises(BadInputError, match="at least one measured point"):
        estimated([], 0.5)
