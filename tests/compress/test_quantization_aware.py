from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import workbench.compress
import workbench.evaluate
from workbench.compress.magnitude_pruning import MagnitudePruning
from workbench.compress.post_training import PostTrainingQuantization
from workbench.compress.quantization_aware_training import QuantizationAwareTraining
from workbench.compress.weight_clustering import WeightClustering
from workbench.convert.adopt import adopt
from workbench.core.errors import BadInputError
from workbench.evaluate.inventory import inventory
from workbench.evaluate.tensors.base import readers
from workbench.jobs import submit

if TYPE_CHECKING:
    from workbench.compress.quantization_scheme import Preserve
    from workbench.core.artifact import Artifact
    from workbench.core.records import TensorFacts
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset

QUICK = {"epochs": 1, "min_steps": 60}
PRUNE, CLUSTER = MagnitudePruning(sparsity=0.8), WeightClustering(clusters=16, **QUICK)


def kernels(artifact: Artifact) -> dict[str, TensorFacts]:
    """Kernels of an int8 file by the layer's name."""
    found = [each for each in inventory(artifact).tensors if each.prunable]
    return {each.name.split("/")[1].removeprefix("quant_"): each for each in found}


@pytest.mark.thorough
@pytest.mark.parametrize("per_channel", [True, False])
def test_zeros_and_shared_values_reach_the_int8_file(
    per_channel: bool,  # noqa: FBT001 - a parameter of the test
    trained: Artifact,
    digits: Dataset,
    workspace: Workspace,
) -> None:
    aware = QuantizationAwareTraining(preserve="both", per_channel=per_channel, **QUICK)
    clustered = workbench.compress(trained, [PRUNE, CLUSTER], digits, workspace=workspace)
    trained_for_it = workbench.compress(trained, [PRUNE, CLUSTER, aware], digits, workspace=workspace)
    # Sixty steps settle little; which labels the rounding of integer kernels moves is not the question here.
    int8 = PostTrainingQuantization(min_agreement=0.97)
    small = workbench.compress(trained, [PRUNE, CLUSTER, aware, int8], digits, workspace=workspace)
    assert "lost" not in trained_for_it.metrics
    assert any("kept in each output channel" in note for note in trained_for_it.metrics.get("notes", ())) == per_channel
    for tensor in readers.get("tf_keras")().read(trained_for_it.path):
        assert tensor.values.ndim < 2 or not np.signbit(tensor.values[tensor.values == 0]).any(), tensor.name
    in_file = kernels(small)
    for name, facts in trained_for_it.metrics["layers"].items():
        assert (in_file[name].sparsity, in_file[name].unique) == (pytest.approx(facts["sparsity"]), facts["unique"])
        assert facts["sparsity"] >= clustered.metrics["layers"][name]["sparsity"] - 0.001
        if name in ("dense", "probabilities") or not per_channel:
            assert facts["unique"] <= clustered.metrics["layers"][name]["unique"]
    before = workbench.evaluate(trained, digits, workspace=workspace).accuracy.value
    assert workbench.evaluate(small, digits, workspace=workspace).accuracy.value >= before - 0.03


@pytest.mark.thorough
def test_what_plain_quantization_loses_is_named(trained: Artifact, digits: Dataset, workspace: Workspace) -> None:
    clustered = workbench.compress(trained, [PRUNE, CLUSTER], digits, workspace=workspace)
    notes: list[str] = []
    made = workbench.compress(
        clustered, QuantizationAwareTraining(**QUICK), digits, workspace=workspace,
        on_event=lambda event: notes.append(event.data["text"]) if event.type == "note" else None,
    )  # fmt: skip
    assert "dense" in made.metrics["lost"]
    assert "shared values became" in made.metrics["lost"]["dense"]
    assert any("dense" in note for note in notes)


@pytest.mark.thorough
def test_a_pointwise_convolution_keeps_its_weights(digits: Dataset, workspace: Workspace) -> None:
    """tfmot's sparsity- and cluster-preserving scheme has been seen to zero kernels of 1x1 altogether."""
    file = submit("compression_stages:write_depthwise", {}, kind="probe", workspace=workspace).wait(120)
    steps = [MagnitudePruning(sparsity=0.5), CLUSTER]
    clustered = workbench.compress(adopt(file, workspace=workspace), steps, digits, workspace=workspace)
    aware = QuantizationAwareTraining(preserve="both", **QUICK)
    made = workbench.compress(clustered, aware, digits, workspace=workspace)
    before, after = (each.metrics["layers"]["pointwise"] for each in (clustered, made))
    assert before["sparsity"] - 0.001 <= after["sparsity"] < before["sparsity"] + 0.1
    assert after["unique"] > 2


@pytest.mark.thorough
def test_it_is_not_compressed_any_further(trained: Artifact, digits: Dataset, workspace: Workspace) -> None:
    aware = workbench.compress(trained, QuantizationAwareTraining(**QUICK), digits, workspace=workspace)
    with pytest.raises(BadInputError, match=r"must not be quantization-aware already, got .*conv1.*run magnitude"):
        workbench.compress(aware, MagnitudePruning(), digits, workspace=workspace)


@pytest.mark.parametrize(
    ("preserve", "sentence"),
    [("sparsity", "has no zeros"), ("clusters", "no layer is clustered"), ("both", "has no zeros")],
)
def test_what_is_to_be_preserved_must_be_there(
    preserve: Preserve, sentence: str, trained: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    with pytest.raises(BadInputError, match=f"preserve must fit the model, .*{sentence}"):
        workbench.compress(trained, QuantizationAwareTraining(preserve=preserve), digits, workspace=workspace)


def test_a_layer_that_cannot_be_quantised_is_named(digits: Dataset, workspace: Workspace) -> None:
    files = submit("compression_stages:write_odd_models", {}, kind="probe", workspace=workspace).wait(120)
    model = adopt(files["not_quantizable"], workspace=workspace)
    with pytest.raises(BadInputError, match=r"must have only layers that tfmot can quantise, got .*unit"):
        workbench.compress(model, QuantizationAwareTraining(), digits, workspace=workspace)
