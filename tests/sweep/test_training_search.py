from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from probing import kill, until
from sklearn.datasets import load_digits

from workbench.core.errors import BadInputError
from workbench.datasets import Dataset
from workbench.jobs import jobs
from workbench.sweep.axes import Range
from workbench.sweep.search import _checked, attach_search, search
from workbench.train.search import SearchSettings

if TYPE_CHECKING:
    from workbench.core.records import SweepPoint
    from workbench.core.workspace import Workspace
    from workbench.sweep.training_search import TrainingSearch

SPACE: dict[str, Any] = {
    "learning_rate": Range(low=1e-3, high=3e-2, log=True), "filters": (2, 3, 64), "kernel": (1, 3),
}  # fmt: skip
ASKED: dict[str, Any] = {
    "space": SPACE, "trials": 3, "budget": {"parameters": 2_000}, "pruner": False, "workers": 2, "name": "sizes",
    "train": {"epochs": 2, "batch_size": 16, "architecture_settings": {"depth": 1, "dense": 0}},
}  # fmt: skip


def small(workspace: Workspace, *, turned: bool = False) -> Dataset:
    """The digits as scikit-learn has them, 8x8, few; `turned` gives the test split other labels."""
    X, y = load_digits(return_X_y=True)  # noqa: N806
    grey = (X.reshape(-1, 8, 8) * 15).astype(np.uint8)
    tested = (y[300:400] + turned) % 10
    return Dataset.from_arrays(grey[:300], y[:300], grey[300:400], tested, name="small", workspace=workspace)


@pytest.fixture(scope="module")
def data(workspace: Workspace) -> Dataset:
    return small(workspace)


@pytest.fixture(scope="module")
def told() -> list[SweepPoint]:
    return []


@pytest.fixture(scope="module")
def found(data: Dataset, workspace: Workspace, told: list[SweepPoint]) -> TrainingSearch:
    return search(data, **ASKED, on_point=told.append, workspace=workspace)


@pytest.mark.thorough
def test_trials_are_judged_by_the_validation_split_and_the_frontier_by_the_test_split(
    found: TrainingSearch, data: Dataset
) -> None:
    assert found.state == "done"
    measured = [point for point in found.points() if point.variant is not None]
    assert len(measured) == 3
    _, held = data.validation_split(0.2)
    assert {point.variant.accuracy.total for point in measured if point.variant} == {len(held)}
    tested = found.tested()
    assert set(tested) == {point.key for point in found.frontier()}  # type: ignore[union-attr]
    assert {variant.accuracy.total for variant in tested.values()} == {data.test_size}


@pytest.mark.thorough
def test_what_is_above_the_budget_is_refused_untrained(found: TrainingSearch, told: list[SweepPoint]) -> None:
    for point in found.points():
        refused = point.state == "failed"
        assert refused == (point.values["filters"] == 64)
        if refused:
            assert "parameters are above the budget of 2,000" in point.reason
            assert not point.made
    assert {point.key for point in told} == {point.key for point in found.points()}


@pytest.mark.thorough
def test_the_best_is_the_one_with_the_highest_validation_accuracy(found: TrainingSearch) -> None:
    best = found.best()
    assert best == max(
        (point for point in found.points() if point.variant),
        key=lambda point: (point.variant.accuracy.value, -point.variant.sizes.raw),  # type: ignore[union-attr]
    )
    assert best in found.frontier()


@pytest.mark.thorough
def test_what_is_finished_is_not_trained_again_under_this_or_another_name(
    found: TrainingSearch, data: Dataset, workspace: Workspace
) -> None:
    before = len(jobs(workspace, "fit"))
    assert search(data, **ASKED, workspace=workspace).points() == found.points()
    # With one trial at a time the first proposals are those of the seed, which the other search had too.
    other = search(data, **{**ASKED, "name": "other", "trials": 1}, workspace=workspace)
    assert len(jobs(workspace, "fit")) == before
    (point,) = (point for point in other.points() if point.variant)
    assert point.seconds.total == 0


@pytest.mark.thorough
def test_its_export_is_a_program_and_a_table(found: TrainingSearch) -> None:
    program = found.export("py")
    compile(program, "search", "exec")
    assert "'learning_rate': Range(low=0.001" in program
    assert found.export("csv").count("\n") == len(found.points()) + 1
    assert repr(found).startswith("TrainingSearch('sizes', done, 3 measured")


@pytest.mark.thorough
def test_points_that_were_lost_are_made_again_without_training(found: TrainingSearch, workspace: Workspace) -> None:
    path = found.folder.path / "points.jsonl"
    held, before = path.read_bytes(), {point.key: (point.state, point.reason) for point in found.points()}
    trained = len(jobs(workspace, "fit"))
    path.write_bytes(b"\xff no points\n")
    try:
        assert {point.key: (point.state, point.reason) for point in found.resume().points()} == before
        assert len(jobs(workspace, "fit")) == trained
    finally:
        path.write_bytes(held)


def test_numbers_of_numpy_are_values(data: Dataset, workspace: Workspace) -> None:
    space = {"filters": np.array([0, 2])}
    with pytest.raises(BadInputError, match="filters must be at least 1, got 0"):
        search(data, **{**ASKED, "name": "numpy", "space": space}, workspace=workspace)
    asked = _checked({"filters": np.arange(2, 4)}, SearchSettings())
    assert json.dumps(asked) == '{"filters": [2, 3]}'


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"space": {}}, "space must have at least one axis"),
        ({"space": {"colour": [1]}}, "space must have axes among epochs, batch_size"),
        ({"space": {"filters": [0]}}, "filters must be at least 1, got 0"),
        ({"space": {"filters": 3}}, "space.filters must be a list of values or a Range"),
        ({"space": {"validation_fraction": [0.1]}}, "space must have axes among"),
        ({"train": {"filters": 3, "epochs": 1}}, "train must not fix an axis of the space"),
        ({"space": 5}, "space must be an object"),
        ({"train": 5}, "train must be an object"),
        ({"objectives": 5}, "objectives must be a list"),
        ({"trials": 0}, "trials must be at least 1"),
        ({"budget": {"parameters": 0}}, "parameters must be at least 1, got 0; it means: most weights"),
        ({"objectives": ("accuracy", "p95")}, "objectives must not be latencies"),
        ({"architecture": "vgg"}, "architecture must be one of"),
        ({"validation_fraction": 0}, "validation_fraction must be above 0"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_in_one_sentence(
    changes: dict[str, Any], sentence: str, data: Dataset, workspace: Workspace
) -> None:
    with pytest.raises(BadInputError, match=sentence):
        search(data, **{**ASKED, "name": "bad", **changes}, workspace=workspace)
    assert not (workspace.sweeps / "bad").exists()


@pytest.mark.thorough
def test_a_name_is_not_shared_by_two_questions(found: TrainingSearch, data: Dataset, workspace: Workspace) -> None:
    for changes, sentence in (({"trials": 4}, "other settings"), ({"budget": {}}, "other settings")):
        with pytest.raises(BadInputError, match=sentence):
            search(data, **{**ASKED, **changes}, workspace=workspace)
    assert found.state == "done"


@pytest.mark.thorough
def test_other_test_labels_change_nothing_but_what_is_tested(data: Dataset, workspace: Workspace) -> None:
    asked = {**ASKED, "trials": 2, "workers": 1}
    ours = search(data, **{**asked, "name": "ours"}, workspace=workspace)
    turned = search(small(workspace, turned=True), **{**asked, "name": "turned"}, workspace=workspace)
    assert [(point.values, point.state, point.sha256) for point in ours.points()] == [
        (point.values, point.state, point.sha256) for point in turned.points()
    ]
    assert [point.label for point in ours.frontier()] == [point.label for point in turned.frontier()]
    accuracies = ({v.accuracy.value for v in each.tested().values()} for each in (ours, turned))
    assert next(accuracies) != next(accuracies)


@pytest.mark.thorough
def test_a_trial_below_the_median_is_ended(data: Dataset, workspace: Workspace) -> None:
    asked: dict[str, Any] = {"space": {"learning_rate": Range(low=1e-6, high=3e-2, log=True)}, "trials": 12}
    found = search(
        data, **asked, train={**ASKED["train"], "epochs": 8}, workers=1, name="poor", workspace=workspace
    )  # fmt: skip
    ended = [point for point in found.points() if "is below the median" in point.reason]
    measured = [point for point in found.points() if point.variant]
    assert ended
    assert len(ended) + len(measured) == 12
    assert max(p.variant.accuracy.value for p in measured if p.variant) > 0.6
    assert found.importance() == {"learning_rate": 1.0}


@pytest.mark.faults
def test_a_search_whose_process_was_killed_goes_on_without_repeating(workspace: Workspace, data: Dataset) -> None:
    program = (
        "from workbench.sweep.search import search\nfrom workbench.datasets import Dataset\n"
        "from workbench.sweep.axes import Range\n"
        f"search(Dataset.open({str(data.folder)!r}), name='killed', trials=4, workers=1, pruner=False, seed=3,\n"
        "       space={'learning_rate': Range(low=1e-3, high=3e-2, log=True)},\n"
        "       train={'epochs': 2, 'architecture_settings': {'filters': 2, 'depth': 1, 'dense': 0}})"
    )
    lines = workspace.sweeps / "killed" / "points.jsonl"
    process = subprocess.Popen([sys.executable, "-c", program])

    def two() -> bool:
        assert process.poll() is None
        return lines.is_file() and lines.read_bytes().count(b"\n") >= 2

    until(two, 120)
    kill(process.pid)
    process.wait()
    found = attach_search("killed", workspace)
    assert found.state == "lost"
    before = found.points()
    done_before = len(before)
    found.resume(workers=1)
    assert found.state == "done"
    assert found.points()[:done_before] == before
    assert len(found.points()) == len(lines.read_text().splitlines()) == 4
    assert found.tested()
