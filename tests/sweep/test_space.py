import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.compress.magnitude_pruning import MagnitudePruning
from workbench.compress.post_training import PostTrainingQuantization
from workbench.core.errors import BadInputError
from workbench.sweep.axes import Range
from workbench.sweep.plan import Base, grid
from workbench.sweep.reading import read_space
from workbench.sweep.space import Choice, Space

CHAIN = (MagnitudePruning(epochs=1), PostTrainingQuantization())
SPARSITY, NUMERIC = "magnitude_pruning.sparsity", "post_training.numeric"
BASE = Base.of({"name": "digits", "checksum": "0" * 64}, "f" * 64, runs=200, share_trajectory=False)


def test_a_grid_is_the_product_of_its_axes() -> None:
    space = Space(CHAIN, {SPARSITY: [0.5, 0.8], NUMERIC: ["float32", "dynamic", "int8"]})
    plans = grid(space, BASE)
    assert len(plans) == space.count() == 6
    assert [plan.label for plan in plans[:2]] == ["sparsity 0.5, numeric float32", "sparsity 0.5, numeric dynamic"]
    assert plans[5].steps == (MagnitudePruning(epochs=1, sparsity=0.8), PostTrainingQuantization(numeric="int8"))
    assert len({plan.key for plan in plans}) == 6


@pytest.mark.parametrize("nothing", [0, 0.0, None])
def test_a_value_may_leave_its_step_out(nothing: float | None) -> None:
    plans = grid(Space(CHAIN, {SPARSITY: [nothing, 0.5], NUMERIC: [None, "int8"]}), BASE)
    assert [tuple(step.name for step in plan.steps) for plan in plans] == [
        (), ("post_training",), ("magnitude_pruning",), ("magnitude_pruning", "post_training"),
    ]  # fmt: skip


def test_points_that_leaving_out_makes_equal_are_one() -> None:
    space = Space(CHAIN, {SPARSITY: [0, 0.5], "magnitude_pruning.epochs": [1, 2]})
    assert (space.count(), len(grid(space, BASE))) == (4, 3)


def test_an_axis_does_not_concern_a_chain_without_its_step() -> None:
    space = Space(Choice(CHAIN, "post_training", ()), {SPARSITY: [0.5, 0.8], NUMERIC: ["float16", "int8"]})
    assert [plan.label for plan in grid(space, BASE)] == [
        "magnitude_pruning → post_training, sparsity 0.5, numeric float16",
        "magnitude_pruning → post_training, sparsity 0.5, numeric int8",
        "magnitude_pruning → post_training, sparsity 0.8, numeric float16",
        "magnitude_pruning → post_training, sparsity 0.8, numeric int8",
        "post_training, numeric float16",
        "post_training, numeric int8",
        "as trained",
    ]


def test_the_second_step_of_a_method_has_a_name_of_its_own() -> None:
    twice = (MagnitudePruning(sparsity=0.5), MagnitudePruning(sparsity=0.8))
    (plan,) = grid(Space(twice, {"magnitude_pruning_2.sparsity": [0.9]}), BASE)
    assert [step.sparsity for step in plan.steps if isinstance(step, MagnitudePruning)] == [0.5, 0.9]


def test_seeds_repeat_a_configuration() -> None:
    plans = grid(Space(CHAIN[0], {SPARSITY: [0.5, 0.8]}), BASE, seeds=(1, 2, 3))
    assert len({plan.key for plan in plans}) == 6
    assert len({plan.configuration for plan in plans}) == 2
    assert {step.seed for plan in plans for step in plan.steps if isinstance(step, MagnitudePruning)} == {1, 2, 3}


def test_a_trained_parent_has_axes_too() -> None:
    space = Space((), {"train.epochs": [1, 2], "deploy": ["tflite", "onnx"]}, train={"architecture": "mlp"})
    plans = grid(space, BASE, seeds=(7,))
    assert [plan.train for plan in plans[::2]] == [
        {"architecture": "mlp", "epochs": 1, "seed": 7}, {"architecture": "mlp", "epochs": 2, "seed": 7},
    ]  # fmt: skip
    assert [plan.deploy for plan in plans] == ["tflite", "onnx"] * 2


@pytest.mark.parametrize(
    ("axes", "sentence"),
    [
        ({"magnitude_pruning.sparsety": [0.5]}, r"axes must be among .*magnitude_pruning\.sparsity.*'magnitude_prun"),
        ({"low_rank.rank": [2]}, "axes must be among"),
        ({"train.seeds": [2]}, r"axes must be among train\.epochs"),
        ({SPARSITY: [0.5, 1.0]}, "sparsity must be below 1, got 1.0"),
        ({"magnitude_pruning.epochs": ["many"]}, "epochs must be a valid integer"),
        ({SPARSITY: []}, "must have at least one value"),
        ({SPARSITY: [0.5, 0.5]}, "must not repeat"),
        ({SPARSITY: 0.5}, "must be a list of values or a range"),
        ({SPARSITY: Range(low=0.5, high=2)}, "sparsity must be below 1"),
        ({"deploy": ["int8"]}, "axes must be among"),
        (None, "axes must be an object"),
        ([], "axes must be an object"),
        ({1: [0.5]}, "axes must be an object"),
    ],
)
def test_a_bad_axis_is_one_sentence(axes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        Space(CHAIN, axes)


def test_values_are_read_as_the_step_declares_them() -> None:
    space = Space(CHAIN, {SPARSITY: ["0.5", np.float64(0.8)], "magnitude_pruning.epochs": [2.0]})
    assert space.axes == {SPARSITY: (0.5, 0.8), "magnitude_pruning.epochs": (2,)}
    assert [type(value) for values in space.axes.values() for value in values] == [float, float, int]
    with pytest.raises(BadInputError, match="must not repeat a value"):
        Space(CHAIN, {"magnitude_pruning.epochs": [2, 2.0]})


def test_a_range_of_a_whole_setting_is_whole() -> None:
    space = Space("weight_clustering", {"weight_clustering.clusters": Range(low=2, high=9, steps=4)})
    assert [step.clusters for plan in grid(space, BASE) for step in plan.steps] == [2, 4, 7, 9]  # type: ignore[attr-defined]
    with pytest.raises(BadInputError, match="low must be whole, and high too"):
        Range(low=1.5, high=3, whole=True)


def test_settings_that_do_not_fit_together_are_a_refused_point() -> None:
    axes = {"post_training.format": ["tflite", "onnx"], NUMERIC: ["int8", "int16x8"]}
    plans = grid(Space("post_training", axes), BASE)
    assert [bool(plan.refused) for plan in plans] == [False, False, False, True]
    assert "numeric must be one of" in plans[3].refused
    with pytest.raises(BadInputError, match="numeric must be one of"):
        grid(Space("post_training", {"post_training.format": ["onnx"], NUMERIC: ["int16x8"]}), BASE)


def test_an_order_that_breaks_a_rule_is_refused() -> None:
    with pytest.raises(BadInputError, match="must not follow post_training"):
        Space((PostTrainingQuantization(), MagnitudePruning()))


@pytest.mark.parametrize(
    "space",
    [
        Space(CHAIN, {SPARSITY: [0, 0.5], NUMERIC: [None, "int8"]}),
        Space(Choice(CHAIN, ()), {SPARSITY: Range(low=0.1, high=0.9, steps=3)}, deploy="onnx"),
        Space((), {"train.seed": [1, 2]}, train={"recipe": "docs"}),
    ],
)
def test_it_is_plain_json_both_ways(space: Space) -> None:
    assert Space.from_json(json.loads(json.dumps(space.to_json()))) == space


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ([], "space must be an object"),
        ({"chains": []}, "space must be an object .* got 'chains'"),
        ({"chain": "post_training"}, "chain must be a list"),
        ({"chain": [{"settings": {}}]}, "must name the method"),
        ({"chain": ["wishes"]}, "method must be one of"),
        ({"axes": []}, "must have its axes as an object"),
        ({"chain": [{"method": []}]}, "method must be one of"),
        ({"chain": [{"method": "low_rank", "settings": "rank"}]}, "must be an object of settings"),
        ({"train": 3}, "train must be an object"),
        ({"train": {"epoch": 3}}, "train must have settings among recipe, epochs"),
    ],
)
def test_json_that_is_no_space_is_one_sentence(value: Any, sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        Space.from_json(value)


def test_a_word_on_top_of_a_file_without_axes_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "space.json").write_text('{"chain": ["magnitude_pruning"], "axes": 5}')
    with pytest.raises(BadInputError, match="must have its axes as an object"):
        read_space(tmp_path / "space.json", axes=[f"{SPARSITY}=0.5"])


def test_numbers_of_numpy_are_values_too() -> None:
    space = Space(CHAIN, {SPARSITY: np.array([0.25, 0.5], np.float32), "magnitude_pruning.epochs": [np.int64(1)]})
    assert json.loads(json.dumps(space.to_json()))["axes"] == {SPARSITY: [0.25, 0.5], "magnitude_pruning.epochs": [1]}


def test_a_range_makes_a_grid_of_its_steps() -> None:
    assert Range(low=0.1, high=0.9, steps=3).values("a") == (0.1, 0.5, 0.9)
    assert Range(low=1, high=100, steps=3, log=True, whole=True).values("a") == (1, 10, 100)
    with pytest.raises(BadInputError, match="must have steps to make a grid"):
        Space(CHAIN, {SPARSITY: Range(low=0.1, high=0.9)}).count()
    with pytest.raises(BadInputError, match="high must be above low"):
        Range(low=1, high=1)


def test_prunings_of_one_kind_share_a_trajectory() -> None:
    base = Base.of({"name": "digits", "checksum": "0" * 64}, "f" * 64, runs=200, share_trajectory=True)
    axes = {SPARSITY: [0, 0.8, 0.5], "magnitude_pruning.epochs": [1, 2], NUMERIC: ["int8"]}
    plans = grid(Space(CHAIN, axes), base)
    assert {plan.along for plan in plans} == {(), (0.5, 0.8)}
    assert all(bool(plan.along) is (len(plan.steps) > 1) for plan in plans)
    alone = grid(Space(CHAIN, {**axes, SPARSITY: [0.8]}), base)
    assert {plan.along for plan in alone} == {()}
