from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import workbench.compress
from workbench.compress.low_rank import LowRankFactorisation
from workbench.compress.magnitude_pruning import MagnitudePruning
from workbench.compress.post_training import PostTrainingQuantization
from workbench.compress.quantization_aware_training import QuantizationAwareTraining
from workbench.compress.recipe import Recipe
from workbench.compress.structured_pruning import StructuredPruning
from workbench.compress.weight_clustering import WeightClustering
from workbench.core.errors import BadInputError
from workbench.jobs import jobs

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact
    from workbench.core.events import Event
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset

PRUNE = MagnitudePruning(sparsity=0.5, epochs=1, min_steps=0)


def test_the_deep_compression_chain_is_allowed_and_goes_through_json() -> None:
    steps = (
        MagnitudePruning(sparsity=0.9, skip=("conv1",), sparsity_by_layer={"dense": 0.95}),
        WeightClustering(clusters=8),
        QuantizationAwareTraining(preserve="both"),
        PostTrainingQuantization(),
    )
    recipe = Recipe(steps)
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert [each["method"] for each in recipe.to_json()] == [
        "magnitude_pruning", "weight_clustering", "quantization_aware_training", "post_training",
    ]  # fmt: skip
    assert str(recipe).count("→") == 3


def test_names_and_single_methods_make_recipes() -> None:
    assert Recipe.of("low_rank") == Recipe((LowRankFactorisation(),))
    assert Recipe.of([PRUNE, "weight_clustering"]) == Recipe((PRUNE, WeightClustering()))
    assert Recipe.of(Recipe((PRUNE,))) == Recipe.of(PRUNE)


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ([], "steps must be at least one method"),
        ([PostTrainingQuantization(), PRUNE], "must not follow post_training, whose result cannot be trained"),
        ([WeightClustering(), PRUNE], "must come before clustering, whose shared values it would undo"),
        ([WeightClustering(), StructuredPruning()], "must come before clustering"),
        ([PRUNE, WeightClustering(preserve_sparsity=False)], "must have preserve_sparsity=True after pruning"),
        ([PRUNE, QuantizationAwareTraining()], "must have preserve='sparsity' to keep"),
        ([WeightClustering(), QuantizationAwareTraining()], "must have preserve='clusters' to keep"),
        (
            [PRUNE, WeightClustering(), QuantizationAwareTraining(preserve="clusters")],
            "steps.3 must have preserve='both' to keep what the steps before it gave",
        ),
        ([QuantizationAwareTraining(), PRUNE], "must come before quantization_aware_training"),
        ([QuantizationAwareTraining(), QuantizationAwareTraining()], "must come before quantization_aware_training"),
        ([PRUNE, LowRankFactorisation()], "must come first, since its new kernels have no sparsity"),
    ],
)
def test_an_order_that_loses_something_is_refused_in_one_sentence(steps: list[object], sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        Recipe.of(steps)  # type: ignore[arg-type]


def test_what_is_no_method_is_refused() -> None:
    with pytest.raises(BadInputError, match=r"must be a compression method, got 0\.8"):
        Recipe((PRUNE, 0.8))  # type: ignore[arg-type]
    with pytest.raises(BadInputError, match="method must be one of"):
        Recipe.of(["wishful_thinking"])


@pytest.mark.parametrize("steps", [None, 0.8, b"magnitude_pruning", {"method": "magnitude_pruning"}, MagnitudePruning])
def test_what_is_no_list_of_methods_is_refused(steps: object) -> None:
    for make in (Recipe, Recipe.of, Recipe.from_json):
        with pytest.raises(BadInputError, match="must be compression methods"):
            make(steps)  # type: ignore[operator]


@pytest.mark.parametrize(
    "step", [42, {}, {"settings": {}}, {"method": "low_rank", "setings": {}}, {"method": "low_rank", "settings": 3}]
)
def test_json_that_is_no_step_is_refused(step: object) -> None:
    with pytest.raises(BadInputError, match=r"must (each )?be an object of"):
        Recipe.from_json([step])  # type: ignore[list-item]


@pytest.mark.thorough
def test_each_step_is_a_job_and_a_common_beginning_is_run_once(
    trained: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    seen: list[Event] = []
    cluster = WeightClustering(clusters=4, epochs=1, min_steps=0)
    pruned = workbench.compress(trained, PRUNE, digits, workspace=workspace)
    before = len(jobs(workspace, "compress"))
    made = workbench.compress(trained, [PRUNE, cluster], digits, workspace=workspace, on_event=seen.append)
    assert len(jobs(workspace, "compress")) == before + 1
    assert made.parent == pruned.sha256
    assert [event.data["state"] for event in seen if event.type == "state"].count("done") == 1
    again = workbench.compress(trained, Recipe((PRUNE, cluster)), digits, workspace=workspace)
    assert again.folder == made.folder
    for facts in made.metrics["layers"].values():
        assert facts["unique"] <= 5
        assert facts["sparsity"] >= 0.48
