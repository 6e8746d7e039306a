"""Tables and samples that come as arrays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset, load_dataset
from workbench.datasets.base import RawData
from workbench.datasets.content import DESCRIPTION, Content
from workbench.datasets.npz import read_npz
from workbench.datasets.number_table import scaled

if TYPE_CHECKING:
    from pathlib import Path

LABELS = np.arange(12) % 3
TRAIN = np.random.default_rng(0).normal(5, [1, 100, 1e-3], (12, 3))
TEST = np.random.default_rng(1).normal(5, [1, 100, 1e-3], (6, 3))


def made(home: Workspace, **changes: Any) -> Dataset:
    values = {"x_train": TRAIN, "y_train": LABELS, "x_test": TEST, "y_test": LABELS[:6]}
    return Dataset.from_arrays(**(values | changes), workspace=home)


@pytest.fixture
def home(tmp_path: Path) -> Workspace:
    return Workspace.at(tmp_path)


@pytest.mark.parametrize(
    ("shape", "kind", "kept"),
    [
        ((12, 5), "table", (5,)), ((12, 8, 9), "images", (8, 9, 1)), ((12, 8, 9, 3), "images", (8, 9, 3)),
        ((12, 4, 4, 4, 2), "samples", (4, 4, 4, 2)),
    ],
)  # fmt: skip
def test_what_samples_are_is_told_from_their_shape(
    home: Workspace, shape: tuple[int, ...], kind: str, kept: tuple[int, ...]
) -> None:
    data = made(home, x_train=np.zeros(shape, np.float32), x_test=np.zeros(shape, np.float32)[:6])
    assert (data.kind, data.shape) == (kind, kept)
    assert data.floats("test").shape == (6, *kept)
    assert Dataset.open(data.folder) == data


@pytest.mark.parametrize("shape", [(7,), (5, 3), (28, 28, 1), (2, 3, 4, 5)])
@pytest.mark.parametrize(("dtype", "stored"), [(np.float64, np.float32), (np.float16, np.float32), (np.int64, np.int32),
                                               (np.uint8, np.int32), (np.bool_, np.int32)])  # fmt: skip
def test_samples_are_kept_as_they_are(home: Workspace, shape: tuple[int, ...], dtype: type, stored: type) -> None:
    values = np.random.default_rng(0).integers(0, 2, (12, *shape)).astype(dtype)
    data = made(home, x_train=values, x_test=values[:6], kind="samples")
    assert (data.kind, data.shape, data.columns) == ("samples", shape, ())
    assert data.x_train.dtype == data.x_test.dtype == stored
    assert data.floats("train").dtype == np.float32
    assert np.array_equal(data.floats("train"), values)
    assert data.row("train", 0) == {}


def test_whole_numbers_beside_floats_become_floats(home: Workspace) -> None:
    data = made(home, x_train=np.ones((12, 4), int), x_test=np.full((6, 4), 0.5), kind="samples")
    assert data.x_train.dtype == data.x_test.dtype == np.float32
    assert (data.floats("train") == 1).all()


@pytest.mark.parametrize(("scaling", "theirs"), [(None, StandardScaler()), ("minmax", MinMaxScaler())])
def test_a_table_is_scaled_by_its_training_part_as_scikit_learn_does(
    home: Workspace, scaling: Any, theirs: Any
) -> None:
    data = made(home, scaling=scaling, columns=("a", "b", "c"))
    theirs.fit(TRAIN)
    assert data.floats("train") == pytest.approx(theirs.transform(TRAIN), abs=1e-5)
    assert data.floats("test") == pytest.approx(theirs.transform(TEST), abs=1e-5)
    assert [each.name for each in data.columns] == ["a", "b", "c"]
    assert data.row("test", 2) == pytest.approx(dict(zip("abc", TEST[2], strict=True)), rel=1e-5)


def test_a_table_that_is_not_scaled_is_as_it_was(home: Workspace) -> None:
    data = made(home, scaling="none")
    assert np.array_equal(data.floats("train"), TRAIN.astype(np.float32))
    assert data.checksum != made(home).checksum


def test_a_column_that_never_changes_becomes_zeros(home: Workspace) -> None:
    constant = np.where(np.arange(3) == 1, 0.1, TRAIN)
    data = made(home, x_train=constant)
    assert not data.floats("train")[:, 1].any()
    assert (data.columns[1].offset, data.columns[1].scale) == (pytest.approx(0.1), 1)


NUMBERS = st.floats(-1e30, 1e30, width=64)


@settings(max_examples=50, deadline=None)
@given(train=arrays(np.float64, (8, 3), elements=NUMBERS), tests=arrays(np.float64, (2, 4, 3), elements=NUMBERS))
def test_what_is_learnt_does_not_depend_on_the_test_part(train: np.ndarray, tests: np.ndarray) -> None:
    labels = np.arange(8) % 2
    columns = []
    for test in tests:
        try:
            raw = scaled(RawData(train, labels, test, labels[:4]), "standard")
        except BadInputError as error:
            assert "x_test[" in str(error) and "lie that far" in str(error)  # noqa: PT017, PT018 - a column of tiny spread
            continue
        columns.append(raw.columns)
        again = [
            [column.encoded([value], str)[0, 0] for column, value in zip(raw.columns, row, strict=True)] for row in test
        ]
        assert np.array_equal(np.array(again, np.float32), raw.x_test)
    assert len(set(columns)) <= 1


def test_new_rows_become_the_very_same_features(home: Workspace) -> None:
    data = made(home)
    assert np.array_equal(data.transform(TEST.tolist()), data.floats("test"))
    assert np.array_equal(data.transform(TEST), data.floats("test"))
    again = Dataset.open_spec(json.loads(json.dumps(data.spec)), home)
    assert np.array_equal(
        again.transform([{"x0": str(a), "x1": b, "x2": c} for a, b, c in TEST.tolist()]), data.floats("test")
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"x_train": np.where(np.arange(36).reshape(12, 3) == 22, np.nan, TRAIN)},
         r"^x_train\[7, 1\] must be finite and fit into float32, got nan"),
        ({"x_test": np.full((6, 3), np.inf)}, r"^x_test\[0, 0\] must be finite"),
        ({"x_train": np.full((12, 3), 1e300)}, r"^x_train\[0, 0\] must be finite and fit into float32, got 1e\+300"),
        ({"x_test": np.zeros((6, 4))}, "^x_test must have 3 columns like x_train, got 4"),
        ({"x_test": np.zeros((6, 3, 1))}, r"^x_test must have shape \(N, columns\) to be a table, got 'shape \(6"),
        ({"x_train": np.zeros((12, 0))}, r"^x_train must have shape \(N, columns\), with values"),
        ({"x_train": np.zeros((0, 3))}, "^x_train must hold at least one sample"),
        ({"x_train": np.full((12, 3), "a")}, "^x_train must hold whole numbers or floats, got 'dtype <U1'; texts"),
        ({"x_train": np.full((12, 3), None)}, "^x_train must hold whole numbers or floats, got 'dtype object'"),
        ({"y_train": LABELS[:-1]}, "^y_train must have one label for each of x_train's 12 samples, got '11 labels'"),
        ({"y_train": np.zeros(12, int)}, "^y_train must hold at least 2 classes"),
        ({"columns": ("a", "b")}, "^columns must name x_train's 3 columns, got '2 names'"),
        ({"columns": ("a", "b", "a")}, r"^columns\[2\] must be a name that no other column has, got 'a'"),
        ({"columns": ("a", "b", 3)}, r"^columns\[2\] must be a name, got 3"),
        ({"scaling": "robust"}, "^scaling must be one of standard, minmax, none, got 'robust'"),
        ({"kind": "video"}, "^kind must be one of images, table, samples, got 'video'"),
        ({"kind": "images"}, r"^x_train must have shape \(N, H, W\).*data that is no images is kind='samples'"),
        ({"kind": "samples", "scaling": "minmax"}, "^scaling must be left out for samples, got 'minmax'; only"),
        ({"kind": "samples", "columns": ("a", "b", "c")}, "^columns must be left out for samples"),
        ({"kind": "samples", "x_train": np.full((12, 3), np.nan)}, r"^x_train\[0, 0\] must be finite"),
        ({"kind": "samples", "x_train": np.full((12, 3), 2**40)}, r"^x_train\[0, 0\] must be a whole number of 32"),
        ({"kind": "samples", "x_test": np.zeros((6, 2))}, r"^x_test must hold samples like x_train's \(3,\)"),
        ({"kind": "samples", "x_train": np.zeros(12)}, r"^x_train must have shape \(N, …\), with values"),
        ({"x_train": TRAIN * [0, 1, 1] + [[1e-38, 0, 0]] * LABELS[:, None], "x_test": TEST * 1e30},
         r"^x_test\[0, 0\] must not lie that far from the training values"),
    ],
)  # fmt: skip
def test_a_problem_is_refused_with_its_key_and_index(home: Workspace, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence) as caught:
        made(home, **changes)
    assert "\n" not in str(caught.value)
    assert not list(home.home.rglob("*.npy"))


def test_a_description_without_a_kind_is_of_images(home: Workspace) -> None:
    grey = np.zeros((12, 8, 8), np.uint8)
    data = made(home, x_train=grey, x_test=grey[:6])
    facts = json.loads((data.folder / DESCRIPTION).read_text())
    assert facts.pop("kind") == "images"
    (data.folder / DESCRIPTION).write_text(json.dumps(facts))
    assert Dataset.open(data.folder) == data


def test_an_npz_file_holds_tables_and_samples_too(tmp_path: Path) -> None:
    file = tmp_path / "own.npz"
    np.savez(file, x=np.arange(60.0).reshape(20, 3), y=np.arange(20) % 2, columns=np.array(["a", "b", "c"]))
    table = Content.checked(read_npz(file))
    assert (table.kind, table.x_train.shape) == ("table", (16, 3))
    assert [column.name for column in table.columns] == ["a", "b", "c"]
    np.savez(file, x_train=np.zeros((4, 5, 6)), y_train=[0, 1] * 2, x_test=np.zeros((2, 5, 6)), y_test=[0, 1])
    assert Content.checked(read_npz(file, "samples")).x_train.shape == (4, 5, 6)
    assert Content.checked(read_npz(file)).x_train.shape == (4, 5, 6, 1)


@pytest.mark.parametrize(
    ("dataset", "options", "sentence"),
    [
        ("digits", {"label": "y"}, "^label must be left out for digits, got 'y'; it takes no options"),
        ("wine", {"seed": 3}, "^seed must be left out for wine, .* it takes scaling"),
        ("wine", {"scaling": "log"}, "^scaling must be 'standard', 'minmax' or 'none', got 'log'"),
        ("wine", {"colour": 1}, "^colour is not a setting of ReadOptions"),
        ("own.csv", {"kind": "table"}, "^kind must be left out for own.csv, a CSV file"),
        ("own.npz", {"label": "y"}, "^label must be left out for own.npz, an .npz file"),
    ],
)
def test_an_option_that_says_nothing_of_the_data_is_refused(
    workspace: Workspace, tmp_path: Path, dataset: str, options: dict[str, Any], sentence: str
) -> None:
    path = tmp_path / dataset
    if path.suffix:
        path.touch()
    with pytest.raises(BadInputError, match=sentence):
        load_dataset(str(path) if path.suffix else dataset, workspace=workspace, **options)


def test_a_prepared_dataset_takes_no_options(home: Workspace) -> None:
    with pytest.raises(BadInputError, match=r"^scaling must be left out for arrays, which is prepared"):
        load_dataset(made(home), scaling="none", workspace=home)
