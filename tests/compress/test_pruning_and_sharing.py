import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench.compress
import workbench.evaluate
from workbench.compress.pruning_and_sharing import PruningAndSharing, half_float_codebook
from workbench.compress.straight_through import thinned
from workbench.core.artifact import Artifact
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.evaluate.inventory import inventory
from workbench.evaluate.tensors.tf_keras import TfKerasTensors

VALUES = st.lists(st.floats(-4, 4, width=16), min_size=1, max_size=60).map(lambda values: np.array(values, np.float32))


@given(VALUES, st.integers(1, 16))
def test_a_codebook_is_ascending_half_floats(values: np.ndarray, size: int) -> None:
    found = half_float_codebook(values, size)
    assert 1 <= len(found) <= size
    assert (np.diff(found) > 0).all()
    assert (found == found.astype(np.float16)).all()


@given(VALUES)
def test_as_many_places_as_values_lose_nothing(values: np.ndarray) -> None:
    distinct = np.unique(values)
    assert np.array_equal(half_float_codebook(values, len(distinct), start=distinct), distinct)


def test_the_least_salient_weights_of_all_layers_leave_and_none_comes_back() -> None:
    weights = [np.array([[1.0, 2.0]]), np.array([[3.0, 0.1]])]
    squares = [np.array([[9.0, 1.0]]), np.array([[0.1, 100.0]])]  # w²·E[g²]: 9, 4; 0.9, 1
    masks = [np.ones((1, 2), bool), np.ones((1, 2), bool)]
    once = thinned(masks, weights, squares, 3)
    assert [mask.tolist() for mask in once] == [[[True, True]], [[False, True]]]
    assert thinned(once, weights, squares, 4) == once
    twice = thinned(once, weights, squares, 1)
    assert [mask.tolist() for mask in twice] == [[[True, False]], [[False, False]]]


@pytest.fixture(scope="module")
def shared(trained: Artifact, digits: Dataset, workspace: Workspace) -> Artifact:
    method = PruningAndSharing(sparsity=0.8, clusters=8, small_layer_clusters=12, epochs=1, min_steps=150)
    return workbench.compress(trained, method, digits, workspace=workspace)


@pytest.mark.thorough
def test_zeros_and_values_are_what_was_asked_for_on_the_file(shared: Artifact) -> None:
    kernels = [each for each in inventory(shared).tensors if each.prunable]
    assert inventory(shared).sparsity == pytest.approx(0.8, abs=1e-4)
    every = sum(each.elements for each in kernels)
    for each in kernels:
        most = 12 if each.elements < every / 100 else 8
        assert each.unique <= most + 1  # and zero


@pytest.mark.thorough
def test_every_value_of_the_file_is_short(shared: Artifact) -> None:
    for tensor in TfKerasTensors().read(shared.path):
        values = np.asarray(tensor.values, np.float32)
        assert np.array_equal(values, values.astype(np.float16).astype(np.float32)), tensor.name


@pytest.mark.thorough
def test_it_answers_about_as_well_as_its_parent(
    shared: Artifact, trained: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    before, after = (workbench.evaluate(each, digits, workspace=workspace).accuracy.value for each in (trained, shared))
    assert after >= before - 0.02
