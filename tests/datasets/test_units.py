"""What every dataset with a name must hold; those that are not at hand here are skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from workbench.datasets import Dataset, load_dataset
from workbench.datasets.base import SOURCES
from workbench.datasets.content import Content

if TYPE_CHECKING:
    from workbench.core.workspace import Workspace

# Prepared datasets of every workspace there is are found by them.
CHECKSUMS = {
    "digits": "352811ed238296ae44bc9077008057fbb3a7a36426341e9f12ee0b3be773c5cd",
    "mnist": "c210b35ab8e5db205fe530aa54611a5e54c59ced537eb9cd463a038a6d62eef5",
}


@pytest.fixture(params=SOURCES.names())
def name(request: pytest.FixtureRequest) -> str:
    source = SOURCES.get(request.param)()
    if not source.at_hand():
        pytest.skip(f"{request.param} is not at hand: set WORKBENCH_DATA to a folder that holds {request.param}.npz")
    return str(request.param)


def test_a_unit_gives_data_that_holds_every_rule(name: str) -> None:
    source = SOURCES.get(name)()
    content = Content.checked(source.read(source.locate()))
    assert content.kind == source.kind
    assert bool(content.columns) == (source.kind == "table")
    assert len(np.unique(content.y_test)) == len(content.classes)
    assert source.title
    assert source.sound_accuracy is None or 0 < source.sound_accuracy < 1
    if name in CHECKSUMS:
        assert content.checksum() == CHECKSUMS[name]


def test_tables_ship_with_scikit_learn_and_are_scaled_by_their_training_part(workspace: Workspace) -> None:
    wine = load_dataset("wine", workspace=workspace)
    assert (wine.kind, wine.shape, wine.train_size, wine.test_size) == ("table", (13,), 142, 36)
    assert wine.classes == ("class_0", "class_1", "class_2")
    assert wine.columns[0].name == "alcohol"
    trained = wine.floats("train").astype(np.float64)
    assert trained.mean(axis=0) == pytest.approx(np.zeros(13), abs=1e-6)
    assert trained.std(axis=0) == pytest.approx(np.ones(13), abs=1e-6)
    assert np.abs(wine.floats("test").mean(axis=0)).max() > 0.01
    row = wine.row("test", 3)
    assert np.allclose(wine.transform([row]), wine.floats("test", [3]), atol=1e-4)
    unscaled = load_dataset("wine", scaling="none", workspace=workspace)
    assert unscaled.floats("test", 3) == pytest.approx(list(row.values()), rel=1e-5)
    assert load_dataset("wine", workspace=workspace) == wine
    assert Dataset.open_spec(wine.spec, workspace) == wine
