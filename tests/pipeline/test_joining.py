"""Old data and a hard set: what is trained on, and what is never."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.pipeline.hard_set import HardSet, hard_set
from workbench.pipeline.joining import join

if TYPE_CHECKING:
    from pathlib import Path

RANDOM = np.random.default_rng(1)
TRAIN = RANDOM.integers(0, 256, (20, 8, 8), np.uint8)
TEST = RANDOM.integers(0, 256, (6, 8, 8), np.uint8)
NEW = RANDOM.integers(0, 256, (10, 8, 8), np.uint8)


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return Workspace.at(tmp_path / "home")


@pytest.fixture
def old(place: Workspace) -> Dataset:
    return Dataset.from_arrays(TRAIN, np.arange(20) % 2, TEST, np.arange(6) % 2, name="old", workspace=place)


@pytest.fixture
def hard(place: Workspace) -> HardSet:
    return hard_set("mine", workspace=place)


def test_hard_samples_are_trained_on_and_a_fifth_measures(old: Dataset, hard: HardSet, place: Workspace) -> None:
    for image in NEW:
        hard.add(image, 1)
    joined = join(old, hard, place, repeat=3)
    assert joined.trained_on == 8
    assert joined.data.train_size == 20 + 3 * 8
    assert joined.measured is not None
    assert joined.measured.test_size == 2
    held = {image.tobytes() for image in joined.measured.x_test}
    assert not held & {image.tobytes() for image in joined.data.x_train}
    assert np.array_equal(joined.data.x_test, old.x_test)
    assert np.array_equal(joined.data.x_train[:20], old.x_train)
    assert joined.data.x_train.dtype == np.uint8
    assert joined.data.classes == old.classes


def test_what_was_drawn_in_floats_becomes_grey_levels_as_the_rest(
    old: Dataset, hard: HardSet, place: Workspace
) -> None:
    hard.add(np.full((8, 8), 0.3001), 1)
    assert join(old, hard, place).data.x_train[-1].max() == 77


def test_a_test_sample_is_measured_and_never_trained_on(old: Dataset, hard: HardSet, place: Workspace) -> None:
    hard.add(TEST[2], 1, source="mislabelled")
    hard.add(NEW[0], 1)
    joined = join(old, hard, place)
    assert not (joined.data.x_train[..., 0] == TEST[2]).all(axis=(1, 2)).any()
    assert joined.measured is not None
    assert np.array_equal(joined.measured.x_test[..., 0], TEST[2:3])
    assert np.array_equal(joined.data.y_test, old.y_test)


def test_a_training_sample_is_corrected_and_stands_there_once(old: Dataset, hard: HardSet, place: Workspace) -> None:
    for index in range(4):  # one of them would be held back, were it not trained on already
        hard.add(TRAIN[index], 1, source="mislabelled")
    joined = join(old, hard, place)
    assert (joined.trained_on, joined.corrected, joined.measured) == (4, 2, None)
    assert joined.data.train_size == 20
    assert joined.data.y_train[:4].tolist() == [1, 1, 1, 1]
    assert join(old, hard, place, repeat=3).data.train_size == 20 + 2 * 4


def test_the_same_join_is_the_same_dataset(old: Dataset, hard: HardSet, place: Workspace) -> None:
    hard.add(NEW[0], 1)
    assert join(old, hard, place).data == join(old, hard, place).data


def test_a_table_keeps_its_columns(place: Workspace, hard: HardSet) -> None:
    rows = RANDOM.normal(size=(20, 3))
    table = Dataset.from_arrays(rows, np.arange(20) % 2, rows[:4] + 1, np.arange(4) % 2, name="rows", workspace=place)
    for row in table.transform([[1, 2, 3], [4, 5, 6], [7, 8, 9]]):
        hard.add(row, 0)
    joined = join(table, hard, place)
    assert joined.data.columns == table.columns
    assert (joined.data.train_size, joined.trained_on) == (22, 2)


def test_what_does_not_belong_together_is_refused(old: Dataset, hard: HardSet, place: Workspace) -> None:
    with pytest.raises(BadInputError, match="the hard set mine must hold samples, got 'none'"):
        join(old, hard, place)
    hard.add(NEW[0], 2)
    with pytest.raises(BadInputError, match=r"label of sample 1 of mine must be one of old's \(0 to 1\), got 2"):
        join(old, hard, place)
    other = hard_set("other", workspace=place)
    other.add(np.zeros((9, 9)), 0)
    with pytest.raises(BadInputError, match=r"must hold samples of old's shape, \(8, 8, 1\), got \(9, 9, 1\)"):
        join(old, other, place)
