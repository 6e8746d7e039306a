from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import workbench.compress
import workbench.train
from workbench.compress.magnitude_pruning import MagnitudePruning
from workbench.compress.weight_clustering import WeightClustering
from workbench.core.errors import BadInputError
from workbench.evaluate.inventory import inventory
from workbench.evaluate.tensors.base import readers

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset

QUICK = {"epochs": 1, "min_steps": 0}


@pytest.fixture(scope="module")
def pruned(trained: Artifact, digits: Dataset, workspace: Workspace) -> Artifact:
    return workbench.compress(trained, MagnitudePruning(sparsity=0.8), digits, workspace=workspace)


@pytest.mark.thorough
def test_zeros_stay_and_the_rest_share_few_values(pruned: Artifact, digits: Dataset, workspace: Workspace) -> None:
    made = workbench.compress(pruned, WeightClustering(clusters=8, **QUICK), digits, workspace=workspace)
    before = {each.name: each for each in inventory(pruned).tensors}
    for tensor in (each for each in inventory(made).tensors if each.prunable):
        assert tensor.unique <= 8
        assert tensor.zeros >= before[tensor.name].zeros
        assert made.metrics["layers"][tensor.name.split("/")[0]]["unique"] == tensor.unique
    assert "lost" not in made.metrics
    assert made.sizes().gzip < 0.75 * pruned.sizes().gzip


@pytest.mark.thorough
def test_zeros_that_are_not_kept_are_named(pruned: Artifact, digits: Dataset, workspace: Workspace) -> None:
    notes: list[str] = []
    method = WeightClustering(clusters=8, preserve_sparsity=False, **QUICK)
    made = workbench.compress(
        pruned, method, digits, workspace=workspace,
        on_event=lambda event: notes.append(event.data["text"]) if event.type == "note" else None,
    )  # fmt: skip
    assert "dense" in made.metrics["lost"]
    assert any("Lost what the model had" in note and "dense: 80.0% zeros became" in note for note in notes)


@pytest.mark.thorough
@pytest.mark.parametrize("centroid_init", ["linear", "density", "random", "kmeans++"])
def test_every_beginning_ends_in_few_values(
    centroid_init: str, trained: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    method = WeightClustering(clusters=5, centroid_init=centroid_init, **QUICK)  # type: ignore[arg-type]
    made = workbench.compress(trained, method, digits, workspace=workspace)
    assert all(facts["unique"] <= 5 for facts in made.metrics["layers"].values())


@pytest.mark.thorough
def test_channels_of_convolutions_have_values_of_their_own(
    pruned: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    made = workbench.compress(
        pruned, WeightClustering(clusters=4, per_channel=True, **QUICK), digits, workspace=workspace
    )
    tensors = readers.get("tf_keras")().read(made.path)
    kernels = {each.name.split("/")[0]: each.values for each in tensors if each.values.ndim >= 2}
    assert set(made.metrics["by_channel"]) >= {"conv2", "conv3"}
    for name in made.metrics["by_channel"]:
        channels = kernels[name].reshape(-1, kernels[name].shape[-1]).T
        assert max(len(np.unique(channel)) for channel in channels) <= 4
        assert len(np.unique(kernels[name])) > 4
    assert len(np.unique(kernels["dense"])) <= 4
    assert any("shares 4 values of its own" in note and "conv2" in note for note in made.metrics["notes"])
    assert "lost" not in made.metrics


def test_one_cluster_is_refused() -> None:
    with pytest.raises(BadInputError, match="clusters must be at least 2, got 1"):
        WeightClustering(clusters=1)


def test_values_of_channels_need_channels(digits: Dataset, workspace: Workspace) -> None:
    dense = workbench.train(digits, architecture="mlp", epochs=1, workspace=workspace)
    with pytest.raises(BadInputError, match="per_channel must be off for a model without Conv2D layers"):
        workbench.compress(dense, WeightClustering(per_channel=True), digits, workspace=workspace)


def test_unknown_layers_are_refused_naming_the_known_ones(
    trained: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    with pytest.raises(BadInputError, match=r"skip must name layers .*conv1, conv2.*got 'conv9'"):
        workbench.compress(trained, WeightClustering(skip=("conv9",)), digits, workspace=workspace)
