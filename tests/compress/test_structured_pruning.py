from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import workbench.compress
from workbench.compress.structured_pruning import StructuredPruning
from workbench.core.errors import BadInputError
from workbench.evaluate.tensors.base import readers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.core.artifact import Artifact
    from workbench.core.events import Event
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset

QUICK = {"epochs": 1, "min_steps": 0}
CONVOLUTIONS = ("conv1", "conv2", "conv3")


def kernels(artifact: Artifact) -> dict[str, NDArray[np.generic]]:
    tensors = readers.get(artifact.format)().read(artifact.path)
    return {each.name.split("/")[0]: each.values for each in tensors if each.values.ndim >= 2}


@pytest.mark.thorough
def test_two_of_four_are_zero_along_the_inputs_in_every_layer_that_fits(
    trained: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    events: list[Event] = []
    made = workbench.compress(trained, StructuredPruning(**QUICK), digits, workspace=workspace, on_event=events.append)
    found = kernels(made)
    assert made.metrics["pruned"] == ["conv2", "conv3", "dense", "probabilities"]
    for name in made.metrics["pruned"]:
        # (…, inputs, outputs), as Keras has them: four neighbouring inputs of one output are a group.
        inputs = np.moveaxis(found[name], -2, -1)
        groups = inputs.reshape(-1, 4)
        assert (np.count_nonzero(groups, axis=1) <= 2).all(), name
    assert np.count_nonzero(found["conv1"]) == found["conv1"].size
    assert made.metrics["not_pruned"] == {"conv1": "its 1 input channels are no multiple of 4"}
    notes = [event.data["text"] for event in events if event.type == "note"]
    assert notes == ["conv1 is not pruned: its 1 input channels are no multiple of 4."]
    assert made.metrics["speed_up"].startswith("none: ")


@pytest.mark.thorough
def test_blocks_of_dense_kernels_leave_whole(trained: Artifact, digits: Dataset, workspace: Workspace) -> None:
    method = StructuredPruning(pattern="block", sparsity=0.6, block_rows=2, skip=CONVOLUTIONS, **QUICK)
    made = workbench.compress(trained, method, digits, workspace=workspace)
    dense = kernels(made)["dense"]
    blocks = dense.reshape(dense.shape[0] // 2, 2, dense.shape[1] // 4, 4).swapaxes(1, 2).reshape(-1, 8)
    zeros = np.count_nonzero(blocks == 0, axis=1)
    assert (zeros == 8).mean() == pytest.approx(0.6, abs=0.01)


def test_blocks_are_refused_on_convolutions(trained: Artifact, digits: Dataset, workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match=r"must be m:n for layers other than dense ones.*skip=\('conv1', 'conv2'"):
        workbench.compress(trained, StructuredPruning(pattern="block"), digits, workspace=workspace)


def test_what_fits_nowhere_is_refused(trained: Artifact, digits: Dataset, workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match=r"must have a layer that 2:7 fits"):
        workbench.compress(trained, StructuredPruning(group=7), digits, workspace=workspace)


def test_patterns_that_leave_nothing_or_are_none_are_refused() -> None:
    with pytest.raises(BadInputError, match=r"zeros must be below group \(4\), got 4"):
        StructuredPruning(zeros=4)
    with pytest.raises(BadInputError, match="at least two weights"):
        StructuredPruning(pattern="block", block_columns=1)
