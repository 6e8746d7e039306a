import contextlib
import os

import numpy as np
import pytest

import workbench.compress
import workbench.evaluate
import workbench.train
from workbench.compress.base import methods
from workbench.compress.magnitude_pruning import MagnitudePruning
from workbench.compress.post_training import PostTrainingQuantization
from workbench.compress.prunable import lacks_zeros
from workbench.compress.reached import lost
from workbench.compress.run import STAGE
from workbench.compress.weight_clustering import WeightClustering
from workbench.convert.adopt import adopt
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, JobCancelledError
from workbench.core.events import Event
from workbench.core.settings import describe
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.evaluate.gate import Gate
from workbench.evaluate.inventory import inventory
from workbench.evaluate.tensors.tf_keras import TfKerasTensors
from workbench.jobs import submit


@pytest.fixture(scope="module")
def pruning() -> list[Event]:
    """Events of the pruning job."""
    return []


@pytest.fixture(scope="module")
def pruned(trained: Artifact, digits: Dataset, workspace: Workspace, pruning: list[Event]) -> Artifact:
    return workbench.compress(
        trained, MagnitudePruning(sparsity=0.8), digits, workspace=workspace, on_event=pruning.append
    )


def test_every_method_declares_its_settings() -> None:
    assert {"magnitude_pruning", "post_training"} <= set(methods.names())
    for name in methods.names():
        unit = methods.get(name)
        assert unit().name == name
        assert unit.parse(unit().model_dump(mode="json")) == unit()
        assert all(field.description for field in describe(unit))
        documented = (unit.__doc__ or "").partition("Settings:")[2]
        assert all(f"    {field.name}: " in documented for field in describe(unit))


def test_forms_show_a_methods_own_settings_first() -> None:
    names = [field.name for field in describe(MagnitudePruning)]
    assert names[:3] == ["sparsity", "scope", "schedule"]
    assert names.index("epochs") > names.index("ramp")


def test_sparsity_reached_is_measured_on_the_file(pruned: Artifact) -> None:
    found = inventory(pruned)
    assert pruned.metrics["sparsity"] == pytest.approx(found.sparsity) == pytest.approx(0.8, abs=0.002)
    for name, reached in pruned.metrics["sparsity_by_layer"].items():
        kernel = next(each for each in found.tensors if each.name == f"{name}/0")
        assert kernel.sparsity == pytest.approx(reached)
        assert reached == pytest.approx(0.8, abs=0.01)


def test_no_zero_of_the_file_is_a_negative_one(pruned: Artifact) -> None:
    for tensor in TfKerasTensors().read(pruned.path):
        assert not np.signbit(tensor.values[tensor.values == 0]).any(), tensor.name


@pytest.mark.parametrize(("zeros", "lacks"), [(740, False), (739, False), (738, True)])
def test_levels_are_reached_but_for_rounding(zeros: int, *, lacks: bool) -> None:
    assert lacks_zeros({"elements": 1000, "sparsity": zeros / 1000}, 0.74, [1000]) is lacks
    assert lacks_zeros({"elements": 1000, "sparsity": (zeros - 1) / 1000}, 0.74, [500, 500]) is (zeros < 738)


def test_of_weights_that_are_equal_to_the_one_threshold_only_as_many_go_as_were_asked_for() -> None:
    shared = np.random.default_rng(0).choice([-1.0, 0.25, 0.5, 2.0], 3000)
    kernels = {"first": [shared[:1000]], "second": [shared[1000:]], "small": [np.full((2, 2), 1e-9)]}
    levels = MagnitudePruning(sparsity=0.6, scope="global").levels(kernels)
    zeros = sum(round(level * kernels[name][0].size) for name, level in levels.items())
    assert zeros == round(0.6 * 3004)
    assert all(level < 1 for level in levels.values())


def test_a_clustered_model_is_pruned_to_the_sparsity_asked_for(
    trained: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    quick = {"epochs": 1, "min_steps": 0}
    clustered = workbench.compress(trained, WeightClustering(clusters=4, **quick), digits, workspace=workspace)
    # Steps so small that shared values stay shared: whole stretches of weights are equal to the threshold.
    method = MagnitudePruning(sparsity=0.8, schedule="constant", learning_rate=1e-12, **quick)
    made = workbench.compress(clustered, method, digits, workspace=workspace)
    for each in inventory(made).tensors:
        assert not each.prunable or each.zeros == pytest.approx(0.8 * each.elements, abs=1), each.name
    assert "shortfalls" not in made.metrics


def test_wrappers_are_stripped(pruned: Artifact, trained: Artifact) -> None:
    assert [each.name for each in inventory(pruned).tensors] == [each.name for each in inventory(trained).tensors]
    assert b"PruneLowMagnitude" not in pruned.path.read_bytes()
    assert pruned.sizes().gzip < 0.4 * trained.sizes().gzip


def test_the_source_stays_as_it_is(pruned: Artifact, trained: Artifact) -> None:
    assert pruned.parent == trained.verify().sha256
    assert inventory(trained).sparsity < 0.01


def test_accuracy_is_kept(pruned: Artifact, trained: Artifact, digits: Dataset, workspace: Workspace) -> None:
    before = workbench.evaluate(trained, digits, workspace=workspace).accuracy.value
    assert workbench.evaluate(pruned, digits, workspace=workspace).accuracy.value >= before - 0.005


def test_fine_tuning_is_told_live(pruned: Artifact, pruning: list[Event]) -> None:
    epochs = [event for event in pruning if event.type == "epoch"]
    assert len(epochs) == pruned.metrics["epochs"] >= 2


def test_int8_after_pruning_keeps_zeros_and_labels(pruned: Artifact, digits: Dataset, workspace: Workspace) -> None:
    small = workbench.compress(pruned, PostTrainingQuantization(), digits, workspace=workspace)
    assert small.label == "tflite/int8"
    assert small.metrics["parity"]["agreement"] >= 0.99
    assert inventory(small).sparsity >= 0.79
    assert small.sizes().gzip < 0.45 * small.sizes().raw


@pytest.mark.slow
def test_a_constant_schedule_reaches_its_sparsity_too(trained: Artifact, digits: Dataset, workspace: Workspace) -> None:
    method = MagnitudePruning(sparsity=0.4, schedule="constant", epochs=1, min_steps=0)
    made = workbench.compress(trained, method, digits, workspace=workspace)
    assert inventory(made).sparsity == pytest.approx(0.4, abs=0.005)


def test_one_threshold_prunes_each_layer_by_how_its_weights_are_spread() -> None:
    draw = np.random.default_rng(0)
    kernels = {
        "even": [draw.choice([-1.0, 1.0], 4000) * draw.uniform(0.9, 1.1, 4000)],
        "peaked": [10 * draw.laplace(size=(60, 100))],
        "kept": [draw.normal(size=500)],
    }
    method = MagnitudePruning(sparsity=0.5, scope="global", skip=("kept",))
    levels = method.levels(kernels)
    assert levels.keys() == {"even", "peaked"}
    assert levels["even"] < levels["peaked"], "whatever the layers' scales"
    assert (levels["even"] * 4000 + levels["peaked"] * 6000) / 10_000 == pytest.approx(0.5, abs=0.001)
    own = method.replace(sparsity_by_layer={"even": 0.25}, skip=()).levels(kernels)
    assert own["even"] == 0.25
    assert own["peaked"] > own["kept"], "a layer of its own plays no part in the threshold"


def test_layers_that_are_not_there_are_refused_naming_those_that_are() -> None:
    kernels = {"conv1": [np.ones((3, 3))], "dense": [np.ones((3, 3))]}
    with pytest.raises(BadInputError, match=r"skip must name layers that can be pruned \(conv1, dense\), got 'conv7'"):
        MagnitudePruning(skip=("conv7",)).levels(kernels)
    with pytest.raises(BadInputError, match=r"sparsity_by_layer must name layers .* got 'conv7'"):
        MagnitudePruning(sparsity_by_layer={"conv7": 0.5}).levels(kernels)
    with pytest.raises(BadInputError, match="skip must leave a layer to prune"):
        MagnitudePruning(skip=("conv1", "dense")).levels(kernels)
    with pytest.raises(BadInputError, match="skip must not name a layer that has a sparsity of its own, got 'dense'"):
        MagnitudePruning(skip=("dense",), sparsity_by_layer={"dense": 0.5})


def test_what_was_trained_is_kept_where_it_is_not_what_was_asked_for(
    trained: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    request = {"artifact": str(trained.folder), "dataset": digits.spec}
    told: list[Event] = []
    job = submit("compression_stages:keep_what_missed_its_level", request, kind="probe", workspace=workspace)
    made = Artifact.load(job.wait(120, on_event=told.append))
    assert made.metrics["shortfalls"] == ["dense must have 50.00% zeros, got 0.00%."]
    assert any("dense must have 50.00% zeros" in event.data.get("text", "") for event in told)


@pytest.mark.thorough
def test_layers_are_pruned_each_to_its_own_level(trained: Artifact, digits: Dataset, workspace: Workspace) -> None:
    method = MagnitudePruning(
        sparsity=0.7, scope="global", sparsity_by_layer={"dense": 0.9}, skip=("conv1",), epochs=1, min_steps=60
    )
    made = workbench.compress(trained, method, digits, workspace=workspace)
    found = {each.name.split("/")[0]: each.sparsity for each in inventory(made).tensors if each.prunable}
    assert found["conv1"] == 0
    assert found["dense"] == pytest.approx(0.9, abs=0.001)
    assert found == {
        **found,
        **{name: pytest.approx(level, abs=0.01) for name, level in made.metrics["levels"].items()},
    }
    assert made.metrics["not_pruned"] == {"conv1": "skipped, as asked"}
    assert found["conv2"] != pytest.approx(found["probabilities"], abs=0.005)


def test_zeros_and_shared_values_that_went_are_named() -> None:
    draw = np.random.default_rng(0)
    sparse = draw.normal(size=(20, 30)) * (draw.random((20, 30)) > 0.8)
    shared = draw.choice([-1.0, 0.5, 2.0], (20, 30))
    before = {"pruned": [sparse], "clustered": [shared], "free": [draw.normal(size=(20, 30))]}
    assert lost(before, before) == {}
    moved = {name: [kernel + 0.01 * draw.normal(size=kernel.shape) for kernel in each] for name, each in before.items()}
    assert lost(before, moved).keys() == {"pruned", "clustered"}
    assert lost(before, moved)["clustered"] == "3 shared values became 600"
    assert lost(before, {"clustered": [np.zeros((5, 5))]}) == {}, "another shape is another layer"


def test_int8_scales_of_channels_do_not_count_as_lost_values() -> None:
    shared = np.random.default_rng(0).choice([-1.0, 0.5, 2.0], (3, 3, 4, 8))
    scaled = np.rint(shared * np.linspace(20, 60, 8)).astype(np.int8)
    assert len(np.unique(scaled)) > 3
    assert lost({"conv": [shared]}, {"conv": [scaled]}) == {}
    noisy = scaled + np.random.default_rng(1).integers(0, 2, scaled.shape, np.int8)
    assert "conv" in lost({"conv": [shared]}, {"conv": [noisy]})


@pytest.mark.thorough
def test_layers_of_two_kernels_are_judged_by_what_can_be_compressed(workspace: Workspace, digits: Dataset) -> None:
    model = adopt(
        submit("depthwise_models:write", {}, kind="probe", workspace=workspace).wait(120), workspace=workspace
    )
    pruned = workbench.compress(model, MagnitudePruning(epochs=1, min_steps=0, ramp=0.2), digits, workspace=workspace)
    clustered = workbench.compress(pruned, WeightClustering(epochs=1, min_steps=0), digits, workspace=workspace)
    assert clustered.metrics["partly_clustered"] == ["separable"]
    kernels = {each.name: each for each in inventory(clustered).tensors if each.prunable}
    depthwise, pointwise = (kernels[f"separable/{number}"] for number in (0, 1))
    assert depthwise.sparsity < 0.05
    assert pointwise.sparsity >= 0.79
    assert pointwise.unique <= 17
    assert "depthwise" in pruned.metrics["not_pruned"]


def test_a_model_without_weights_to_compress_is_refused(workspace: Workspace, digits: Dataset) -> None:
    files = submit("compression_stages:write_odd_models", {}, kind="probe", workspace=workspace).wait(120)
    model = adopt(files["nothing_to_learn"], workspace=workspace)
    for method, words in (
        ("magnitude_pruning", "prune"), ("weight_clustering", "cluster"), ("pruning_and_sharing", "prune"),
    ):  # fmt: skip
        with pytest.raises(BadInputError, match=rf"must have a layer with weights to {words}, got \['InputLayer'"):
            workbench.compress(model, method, digits, workspace=workspace)


@pytest.mark.parametrize("sparsity", [1.0, -0.1, float("nan")])
def test_impossible_sparsity_is_refused(sparsity: float) -> None:
    with pytest.raises(BadInputError, match="sparsity must be"):
        MagnitudePruning(sparsity=sparsity)


def test_what_is_no_keras_model_is_not_pruned(
    converted: dict[str, Artifact], digits: Dataset, workspace: Workspace
) -> None:
    with pytest.raises(BadInputError, match="must be a tf_keras model"):
        workbench.compress(converted["onnx/float32"], MagnitudePruning(), digits, workspace=workspace)


def test_an_unknown_method_is_refused(trained: Artifact, digits: Dataset, workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match=r"method must be one of .*magnitude_pruning, .*post_training"):
        workbench.compress(trained, "wishful_thinking", digits, workspace=workspace)


def test_other_classes_than_the_models_are_refused(trained: Artifact, workspace: Workspace) -> None:
    images, labels = np.zeros((30, 28, 28, 1), np.uint8), np.arange(30) % 3
    other = Dataset.from_arrays(images, labels, images, labels, name="three", workspace=workspace)
    with pytest.raises(BadInputError, match="classes"):
        workbench.compress(trained, MagnitudePruning(), other, workspace=workspace)


def test_logits_are_refused_before_the_first_step(workspace: Workspace, digits: Dataset) -> None:
    files = submit("probe_models:write_all", {}, kind="probe", workspace=workspace).wait(120)
    model = adopt(files["logits"], workspace=workspace)
    with pytest.raises(BadInputError, match="must end in probabilities"):
        workbench.compress(model, MagnitudePruning(), digits, workspace=workspace)


@pytest.mark.slow
@pytest.mark.parametrize("epoch", [1, 3])
def test_a_pruning_that_was_stopped_goes_on_and_reaches_its_sparsity(
    epoch: int, trained: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    request = {
        "artifact": str(trained.folder), "sha256": trained.sha256, "dataset": digits.spec,
        "method": "magnitude_pruning", "settings": {"sparsity": 0.7, "epochs": 3, "min_steps": 0},
    }  # fmt: skip
    job = submit(STAGE, request, kind="compress", workspace=workspace, reuse=False)

    def stop(event: Event) -> None:
        if event.type == "epoch" and event.data["epoch"] == epoch:
            job.cancel()

    with contextlib.suppress(JobCancelledError):
        job.wait(120, on_event=stop)
    if job.state == "cancelled":
        job.resume().wait(120)
    made = Artifact.load(job.result)
    assert made.metrics["epochs"] == 3
    assert inventory(made).sparsity == pytest.approx(0.7, abs=0.002)


@pytest.mark.slow
def test_mnist_stays_within_half_a_point(workspace: Workspace) -> None:
    if not os.environ.get("WORKBENCH_DATA"):
        pytest.skip("needs MNIST: set WORKBENCH_DATA to a folder that holds mnist.npz")
    parent = workbench.train("mnist", "docs", workspace=workspace)
    small = workbench.compress(parent, MagnitudePruning(sparsity=0.8), "mnist", workspace=workspace)
    smaller = workbench.compress(small, PostTrainingQuantization(), "mnist", workspace=workspace)
    baseline = workbench.evaluate(parent, "mnist", workspace=workspace)
    for made in (small, smaller):
        Gate(max_drop=0.005).require(workbench.evaluate(made, "mnist", workspace=workspace), baseline)
    assert smaller.sizes().gzip * 9 < parent.sizes().raw
