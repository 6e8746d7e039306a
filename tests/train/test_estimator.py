from __future__ import annotations

import contextlib
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from workbench.core.errors import BadInputError, WorkspaceError
from workbench.jobs import jobs
from workbench.train.estimator import WorkbenchClassifier
from workbench.train.scaling import Scaling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from workbench.core.workspace import Workspace

Samples = tuple["NDArray[Any]", "NDArray[Any]"]
QUICK: dict[str, Any] = {"epochs": 6, "learning_rate": 0.01}


@pytest.fixture(scope="module")
def table() -> Samples:
    """A tenth of the digits as a table with 64 columns, their labels as words."""
    X, y = load_digits(return_X_y=True)  # noqa: N806
    names = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
    return X[:360], names[y[:360]]


@pytest.fixture(scope="module")
def fitted(table: Samples, workspace: Workspace) -> WorkbenchClassifier:
    return WorkbenchClassifier(**QUICK, workspace=workspace).fit(table[0][:300], table[1][:300])


@pytest.mark.thorough
@pytest.mark.usefixtures("workspace")
def test_scikit_learns_own_checks_pass_but_for_those_it_skips_itself() -> None:
    results = check_estimator(WorkbenchClassifier(), on_skip=None, on_fail=None)
    failed = {each["check_name"]: each["exception"] for each in results if each["status"] not in ("passed", "skipped")}
    assert failed == {}
    # The one needs a variable that must be set before scipy is imported, the other pandas.
    skipped = {each["check_name"] for each in results if each["status"] == "skipped"}
    assert skipped <= {"check_array_api_input", "check_classifier_data_not_an_array"}
    assert len(results) > 40


def test_labels_of_any_type_come_back_and_most_are_right(fitted: WorkbenchClassifier, table: Samples) -> None:
    X, y = table[0][300:], table[1][300:]  # noqa: N806
    assert fitted.score(X, y) > 0.8
    assert list(fitted.classes_) == sorted(set(table[1]))
    assert set(fitted.predict(X)) <= set(table[1])
    probabilities = fitted.predict_proba(X)
    assert probabilities.shape == (60, 10)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-12)
    assert (fitted.classes_[probabilities.argmax(axis=1)] == fitted.predict(X)).all()


def test_what_was_fitted_is_an_artifact_with_its_curve(fitted: WorkbenchClassifier) -> None:
    assert fitted.artifact_.verify().format == "tf_keras"
    assert fitted.onnx_.verify().parent == fitted.artifact_.sha256
    assert fitted.artifact_.metrics["classes"] == list(fitted.classes_)
    assert len(fitted.curve_.points) == len(fitted.history_["loss"]) == 6
    assert fitted.history_["loss"][-1] < fitted.history_["loss"][0]
    assert fitted.n_features_in_ == 64
    assert fitted.artifact_.metrics["parameters"] == (64 + 1) * 128 + (128 + 1) * 10  # rows, not images


def test_an_equal_fit_is_not_trained_twice(fitted: WorkbenchClassifier, table: Samples, workspace: Workspace) -> None:
    before = len(jobs(workspace, "fit"))
    again = clone(fitted).fit(table[0][:300], table[1][:300])
    assert len(jobs(workspace, "fit")) == before
    assert again.artifact_ == fitted.artifact_


def test_it_is_pickled_without_its_model(fitted: WorkbenchClassifier, table: Samples) -> None:
    data = pickle.dumps(fitted)
    assert len(data) < 20_000
    assert (pickle.loads(data).predict_proba(table[0]) == fitted.predict_proba(table[0])).all()


def test_a_damaged_model_is_not_asked(fitted: WorkbenchClassifier, table: Samples) -> None:
    lost = pickle.loads(pickle.dumps(fitted))
    lost.onnx_ = fitted.onnx_.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(WorkspaceError, match="must hold the model 000000000000"):
        lost.predict(table[0])


@pytest.mark.thorough
def test_the_documents_grid_search_runs(table: Samples, workspace: Workspace) -> None:
    model = WorkbenchClassifier(learning_rate=0.01, workspace=workspace)
    grid = GridSearchCV(model, {"batch_size": [16, 64], "epochs": [1, 6]}, n_jobs=1, cv=2)
    grid.fit(*table)
    assert grid.best_params_["epochs"] == 6
    assert grid.best_score_ == max(grid.cv_results_["mean_test_score"]) > 0.7
    assert len(grid.cv_results_["params"]) == 4


@pytest.mark.thorough
def test_it_stands_in_a_pipeline(table: Samples, workspace: Workspace) -> None:
    model = make_pipeline(StandardScaler(), WorkbenchClassifier(**QUICK, workspace=workspace))
    model.set_params(workbenchclassifier__epochs=5)
    assert model.fit(table[0][:300], table[1][:300]).score(table[0][300:], table[1][300:]) > 0.7
    assert len(model[-1].curve_.points) == 5


@pytest.mark.thorough
def test_images_go_into_a_convolution_and_a_table_of_64_columns_too(table: Samples, workspace: Workspace) -> None:
    sizes = {"filters": 4, "depth": 1, "dense": 0}
    model = WorkbenchClassifier(
        **QUICK, architecture="sized_cnn", architecture_settings=sizes, validation_fraction=0.2, workspace=workspace
    )
    grey = table[0].reshape(-1, 8, 8).astype(np.uint8) * 15
    model.fit(grey[:300], table[1][:300])
    assert model.score(grey[300:], table[1][300:]) > 0.6
    assert len(model.history_["val_accuracy"]) == 6
    assert model.predict_proba(grey[:1, ..., None].repeat(2, axis=0)[..., 0]).shape == (2, 10)
    with pytest.raises(ValueError, match=r"X must have the shape \(n, \(8, 8\)\) that was fitted"):
        model.predict(grey[:3, :, :4])
    with contextlib.suppress(BadInputError):
        WorkbenchClassifier(**QUICK, architecture="docs_cnn", workspace=workspace).fit(*table)
        pytest.fail("an 8x8 image does not fit the docs' CNN")


def bad_fits() -> Iterator[Any]:
    X, y = np.arange(20.0).reshape(10, 2), np.arange(10) % 2  # noqa: N806
    hole = X.copy()
    hole[3, 1] = np.nan
    yield pytest.param(X, np.zeros(10), {}, ValueError, "only one class", id="one class")
    yield pytest.param(hole, y, {}, ValueError, "contains NaN", id="NaN")
    yield pytest.param(X[:, :, None, None, None], y, {}, ValueError, "X must have the shape", id="five axes")
    yield pytest.param(X, y / 3, {}, ValueError, "continuous", id="a regression's target")
    yield pytest.param(X, y, {"epochs": 0}, BadInputError, "epochs must be at least 1", id="no epoch")
    yield pytest.param(X, y, {"architecture": "vgg"}, BadInputError, "architecture must be one of", id="no network")
    share = {"validation_fraction": float("nan")}
    yield pytest.param(X, y, share, BadInputError, "validation_fraction must be a finite number", id="share")
    yield pytest.param(X, y, {"random_state": -1}, BadInputError, "seed must be at least 0", id="seed")
    yield pytest.param(
        X, y, {"architecture_settings": {"filters": 3}}, BadInputError, "filters is not a setting of Mlp", id="size"
    )


@pytest.mark.parametrize(("X", "y", "settings", "error", "sentence"), [*bad_fits()])
def test_what_cannot_be_fitted_is_refused_in_one_sentence(
    X: NDArray[Any],  # noqa: N803
    y: NDArray[Any],
    settings: dict[str, Any],
    error: type[Exception],
    sentence: str,
    workspace: Workspace,
) -> None:
    with pytest.raises(error, match=sentence):
        WorkbenchClassifier(**settings, workspace=workspace).fit(X, y)


def test_other_columns_than_those_fitted_are_refused(fitted: WorkbenchClassifier) -> None:
    with pytest.raises(ValueError, match="X has 3 features, but WorkbenchClassifier is expecting 64 features"):
        fitted.predict(np.zeros((2, 3)))


def test_scaling_knows_the_training_part_only_and_ends_at_its_range() -> None:
    scaling = Scaling.learnt(np.array([[0.0, -5], [10, -5]]))
    rows = np.array([[5.0, 7], [-3, -5], [20, -5]])
    assert scaling.scaled(rows, as_images=False).tolist() == [[0.5, 1], [0, 0], [1, 0]]
    images = scaling.scaled(rows, as_images=True)
    assert images.shape == (3, 4, 4, 1)
    assert images.reshape(3, 16)[:, :2].tolist() == [[0.5, 1], [0, 0], [1, 0]]
    assert not images.reshape(3, 16)[:, 2:].any()


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (np.array([0, 51, 255], np.uint8), [0, 0.2, 1]),
        (np.array([0, 0.25, 0.5]), [0, 0.25, 0.5]),
        (np.array([-1.0, 0, 1]), [0, 0.5, 1]),
        (np.array([0, 500, 1000]), [0, 0.5, 1]),
    ],
)
def test_images_keep_their_contrast_where_they_can(pixels: NDArray[Any], expected: list[float]) -> None:
    images = np.tile(pixels[:, None, None], (1, 4, 4))
    scaled = Scaling.learnt(images).scaled(images, as_images=False)
    assert scaled.shape == (3, 4, 4, 1)
    assert scaled[:, 0, 0, 0].tolist() == pytest.approx(expected)
