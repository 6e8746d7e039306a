from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import workbench.compress
import workbench.evaluate
from workbench.compress.low_rank import LowRankFactorisation, _factors, _thin_config
from workbench.core.errors import BadInputError
from workbench.evaluate.inventory import inventory

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset


def test_factors_are_the_nearest_of_their_rank() -> None:
    kernel = np.random.default_rng(0).normal(size=(12, 7)).astype(np.float32)
    first, second = _factors(kernel, 3)
    assert (first.shape, second.shape) == ((12, 3), (3, 7))
    rest = np.linalg.svd(kernel, compute_uv=False)[3:]
    assert np.linalg.norm(kernel - first @ second) == pytest.approx(np.linalg.norm(rest), rel=1e-5)
    whole = np.matmul(*_factors(kernel, 7))
    np.testing.assert_allclose(whole, kernel, atol=1e-5)


def test_a_functional_models_layer_gets_another_before_it() -> None:
    inputs = [[["flat", 0, 0, {}]]]
    dense = {
        "class_name": "Dense", "name": "d", "inbound_nodes": inputs,
        "config": {"name": "d", "units": 64, "use_bias": True, "activation": "relu", "dtype": "float32"},
    }  # fmt: skip
    first, second = _thin_config({"layers": [dense]}, {"d": 5})["layers"]
    assert first["name"] == first["config"]["name"] == "d_low_rank"
    assert (first["config"]["units"], first["config"]["use_bias"], first["inbound_nodes"]) == (5, False, inputs)
    assert second["inbound_nodes"] == [[["d_low_rank", 0, 0, {}]]]
    assert second["config"] == dense["config"]


@pytest.mark.thorough
def test_a_dense_layer_becomes_two_and_answers_on(trained: Artifact, digits: Dataset, workspace: Workspace) -> None:
    method = LowRankFactorisation(rank=0.2, epochs=1, min_steps=0)
    made = workbench.compress(trained, method, digits, workspace=workspace)
    shapes = {each.name: each.shape for each in inventory(made).tensors}
    assert shapes["dense_low_rank/0"] == (576, 13)
    assert (shapes["dense/0"], shapes["dense/1"]) == ((13, 64), (64,))
    assert "probabilities_low_rank/0" not in shapes
    assert made.metrics["not_factorised"] == {"probabilities": "it answers"}
    assert made.metrics["parameters"] == inventory(made).parameters < inventory(trained).parameters - 20_000
    before = workbench.evaluate(trained, digits, workspace=workspace).accuracy.value
    assert workbench.evaluate(made, digits, workspace=workspace).accuracy.value >= before - 0.03


def test_a_rank_that_saves_nothing_is_refused(trained: Artifact, digits: Dataset, workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match=r"rank must make a Dense layer smaller, got 1\.0; dense: rank 64 would"):
        workbench.compress(trained, LowRankFactorisation(rank=1.0), digits, workspace=workspace)
