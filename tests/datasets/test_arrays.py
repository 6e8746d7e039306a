from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.datasets.checks import LARGEST_SIDE

if TYPE_CHECKING:
    from pathlib import Path


def good(**changes: Any) -> dict[str, Any]:
    values = {
        "x_train": np.zeros((12, 8, 8), np.uint8),
        "y_train": np.arange(12) % 3,
        "x_test": np.zeros((6, 8, 8), np.uint8),
        "y_test": np.arange(6) % 3,
    }
    return values | changes


def spoiled(key: str, index: Any, value: Any, dtype: type = np.float32) -> dict[str, Any]:
    array = good()[key].astype(dtype)
    array[index] = value
    return {key: array}


@pytest.fixture
def home(tmp_path: Path) -> Workspace:
    return Workspace.at(tmp_path)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"x_train": np.zeros(12, np.uint8)}, r"x_train must have shape .* got 'shape \(12,\)'"),
        ({"x_train": np.zeros((12, 64), np.uint8)}, r"x_test must have shape \(N, columns\) to be a table"),
        ({"x_train": np.zeros((12, 8, 8, 2), np.uint8)}, "x_train must have shape"),
        ({"x_train": np.zeros((0, 8, 8), np.uint8)}, "x_train must hold at least one sample"),
        ({"x_train": np.zeros((12, 2, 2), np.uint8)}, "x_train must hold images of 4 to 256 pixels"),
        ({"x_train": np.zeros((12, LARGEST_SIDE + 1, 8), np.uint8)}, "got '257x8'"),
        ({"x_train": np.full((12, 8, 8), "a")}, "x_train must be uint8 grey levels or floats"),
        ({"x_train": np.full((12, 8, 8), None)}, "got 'dtype object'"),
        ({"x_test": np.zeros((6, 9, 8), np.uint8)}, r"x_test must hold images like x_train's \(8, 8, 1\)"),
        (spoiled("x_train", (7, 3, 3), np.nan), r"x_train\[7\] must hold finite numbers, got 'NaN or infinity'"),
        (spoiled("x_test", (4, 0, 0), np.inf), r"x_test\[4\] must hold finite"),
        (spoiled("x_train", (2, 0, 0), 1.5), r"x_train\[2\] must lie in \[0, 1\], got '\[0, 1.5\]'; divide by 255"),
        (spoiled("x_train", (2, 0, 0), -0.5), r"x_train\[2\] must lie in \[0, 1\]"),
        (spoiled("x_train", (5, 0, 0), 256, np.int32), r"x_train\[5\] must lie in \[0, 255\]"),
        ({"y_train": np.arange(11) % 3}, "y_train must have one label for each of x_train's 12 samples, got '11"),
        ({"y_train": np.eye(12)}, r"y_train must be one-dimensional.*argmax"),
        (spoiled("y_train", 3, 0.5), r"y_train\[3\] must be a whole number, got 0.5"),
        (spoiled("y_train", 3, np.nan), r"y_train\[3\] must be a whole number, got nan"),
        ({"y_train": (np.arange(12) % 3).astype(float)}, "y_train must hold whole numbers.*int64"),
        ({"y_train": np.full(12, "cat")}, "y_train must hold whole numbers"),
        (spoiled("y_train", 9, -1, np.int64), r"y_train\[9\] must be 0 or more, got -1"),
        (spoiled("y_train", 9, 10**9, np.int64), r"y_train\[9\] must be below 1000"),
        ({"y_train": np.arange(12) % 2 * 2}, "y_train must hold every label from 0 to 2, got 'no 1'"),
        ({"y_train": np.zeros(12, int)}, "y_train must hold at least 2 classes"),
        (spoiled("y_test", 5, 7, np.int64), r"y_test\[5\] must be a label that y_train holds \(0 to 2\), got 7"),
        ({"classes": ("a", "b")}, r"classes must name as many classes as y_train holds \(3\), got '2 names'"),
        ({"classes": ("a", "b", "a")}, r"classes\[2\] must be a name that no other class has, got 'a'; rename it"),
        ({"classes": ("a", "", "c")}, r"classes\[1\] must be a name, got ''"),
        ({"classes": ("a", " ", "c")}, r"classes\[1\] must be a name, got ' '"),
        ({"classes": (0, 1, 2)}, r"classes\[0\] must be a name, got 0"),
        ({"classes": ("a", "b", "\udcff")}, r"classes\[2\] must be a name, got '\\udcff'"),
        ({"name": "../up"}, "name must be made of letters"),
    ],
)
def test_a_problem_is_refused_with_its_key_and_index(home: Workspace, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence) as caught:
        Dataset.from_arrays(**good(**changes), workspace=home)
    assert "\n" not in str(caught.value)
    assert not list(home.home.rglob("*.npy"))


def test_whole_grey_levels_as_floats_are_stored_as_such(home: Workspace) -> None:
    levels = np.arange(12 * 64, dtype=np.uint8).reshape(12, 8, 8)
    whole = Dataset.from_arrays(**good(x_train=levels), workspace=home)
    for dtype in (np.float32, np.float64):
        floats = Dataset.from_arrays(**good(x_train=levels.astype(dtype) / 255), workspace=home)
        assert floats.checksum == whole.checksum
    assert Dataset.from_arrays(**good(x_train=levels.astype(np.int64)), workspace=home).folder == whole.folder


def test_other_floats_are_kept_as_they_are(home: Workspace) -> None:
    values = np.random.default_rng(0).random((12, 8, 8), np.float32)
    data = Dataset.from_arrays(**good(x_train=values), workspace=home)
    assert data.x_train.dtype == data.x_test.dtype == np.float32
    assert np.array_equal(data.floats("train")[..., 0], values)


def test_the_checksum_is_of_the_content_alone(home: Workspace, tmp_path: Path) -> None:
    here = Dataset.from_arrays(**good(), workspace=home)
    there = Dataset.from_arrays(**good(name="other"), workspace=Workspace.at(tmp_path / "elsewhere"))
    assert here.checksum == there.checksum
    assert Dataset.from_arrays(**good(y_test=np.ones(6, int)), workspace=home).checksum != here.checksum
    assert Dataset.from_arrays(**good(classes=("a", "b", "c")), workspace=home).checksum != here.checksum


def test_colour_images_and_columns_of_labels_are_taken(home: Workspace) -> None:
    data = Dataset.from_arrays(
        np.zeros((12, 8, 9, 3), np.uint8), (np.arange(12) % 3)[:, None], np.zeros((6, 8, 9, 3)), np.arange(6) % 3,
        workspace=home,
    )  # fmt: skip
    assert data.shape == (8, 9, 3)
    assert data.y_train.shape == (12,)
