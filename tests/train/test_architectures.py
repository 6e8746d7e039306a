from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import workbench.train
from workbench.core.errors import BadInputError
from workbench.core.settings import describe
from workbench.jobs import submit
from workbench.train.architectures.base import ARCHITECTURES
from workbench.train.architectures.sized_cnn import SizedCnn
from workbench.train.fit import train_settings

if TYPE_CHECKING:
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset


def test_what_is_counted_on_paper_is_what_is_built(workspace: Workspace) -> None:
    built = submit("training_stages:parameters", {}, kind="probe", workspace=workspace).wait(60)
    counted = {name: ARCHITECTURES.get(name)().parameters((28, 28, 1), 10) for name in built}
    assert {name: count for name, count in counted.items() if count is not None} == {
        name: count for name, count in built.items() if counted[name] is not None
    }
    assert counted["sized_cnn"] == 33_642
    assert counted["docs_cnn"] == 93_322


@pytest.mark.parametrize(
    "sizes", [{"filters": 3, "depth": 1, "kernel": 5, "dense": 0}, {"filters": 2, "depth": 3, "kernel": 2, "dense": 7}]
)
def test_a_sized_network_is_trained_as_it_was_sized(
    sizes: dict[str, int], digits: Dataset, workspace: Workspace
) -> None:
    made = workbench.train(
        digits, architecture="sized_cnn", architecture_settings=sizes, epochs=1, batch_size=512, workspace=workspace
    )
    assert made.metrics["parameters"] == SizedCnn(**sizes).parameters(digits.shape, 10)
    assert made.settings["architecture_settings"] == sizes


def test_sizes_are_declared_once() -> None:
    specs = {spec.name: spec for spec in describe(SizedCnn)}
    assert set(specs) == {"filters", "depth", "kernel", "dense"}
    assert all(spec.description and spec.low is not None and spec.high is not None for spec in specs.values())


@pytest.mark.parametrize(
    ("sizes", "sentence"),
    [
        ({"filters": 0}, "filters must be at least 1, got 0; it means: filters of the first block"),
        ({"colour": 1}, "colour is not a setting of SizedCnn; choose from: filters, depth, kernel, dense"),
        ({"depth": 5}, r"depth must leave a pixel of the dataset's images \(28x28\).*choose at most 4"),
    ],
)
def test_impossible_sizes_are_refused_before_a_job_starts(
    sizes: dict[str, int], sentence: str, digits: Dataset
) -> None:
    with pytest.raises(BadInputError, match=sentence):
        train_settings(digits, architecture="sized_cnn", architecture_settings=sizes)
