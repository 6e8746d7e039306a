"""Real sweeps of a small network on digits."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import workbench.compress
import workbench.sweep
import workbench.train
from workbench.compress.magnitude_pruning import MagnitudePruning
from workbench.compress.post_training import PostTrainingQuantization
from workbench.compress.preview import open_preview
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, JobCancelledError, WorkspaceError
from workbench.datasets import Dataset
from workbench.jobs import jobs
from workbench.sweep.folder import SweepFolder
from workbench.sweep.run import attach_sweep
from workbench.sweep.space import Choice, Space

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.events import Event
    from workbench.core.records import SweepPoint
    from workbench.core.workspace import Workspace
    from workbench.sweep.handle import Sweep

SPARSITY, NUMERIC = "magnitude_pruning.sparsity", "post_training.numeric"
CHAIN = (MagnitudePruning(epochs=1, min_steps=0), PostTrainingQuantization())
SPACE = Space(CHAIN, {SPARSITY: [0.5, 0.8], NUMERIC: ["dynamic", "int8"]})


@pytest.fixture(scope="module")
def parent(digits: Dataset, workspace: Workspace) -> Artifact:
    return workbench.train(digits, architecture="mlp", epochs=2, workspace=workspace)


@pytest.fixture(scope="module")
def told() -> list[Event]:
    """Events of the sweep."""
    return []


@pytest.fixture(scope="module")
def seen() -> list[SweepPoint]:
    """Points as they were finished."""
    return []


@pytest.fixture(scope="module")
def swept(parent: Artifact, digits: Dataset, workspace: Workspace, told: list[Event], seen: list[SweepPoint]) -> Sweep:
    return workbench.sweep(
        SPACE, parent, digits, name="four", workspace=workspace, on_event=told.append, on_point=seen.append, runs=20,
        constraints=("gzip <= 1 B",),
    )  # fmt: skip


def runs_of(workspace: Workspace) -> list[str]:
    return [job.id for job in jobs(workspace)]


def test_every_point_is_measured(swept: Sweep, parent: Artifact) -> None:
    assert swept.state == "done"
    points = {point.label: point for point in swept.points()}
    assert sorted(points) == [
        "sparsity 0.5, numeric dynamic", "sparsity 0.5, numeric int8",
        "sparsity 0.8, numeric dynamic", "sparsity 0.8, numeric int8",
    ]  # fmt: skip
    for point in points.values():
        assert point.state == "done"
        variant = point.variant
        assert variant is not None
        assert variant.accuracy.low < variant.accuracy.value < variant.accuracy.high
        assert variant.drop_low <= variant.drop <= variant.drop_high
        assert variant.latency is not None
        assert variant.latency.runs == 20
        assert point.noise is not None
        assert "after the sweep's own jobs had ended" in point.timing
        assert variant.parity is not None
        assert Artifact.load(variant.artifact).verify(point.sha256).settings
        assert variant.sparsity >= 0.99 * point.values[SPARSITY]
    pruned = {Artifact.load(point.made[0]).sha256 for point in points.values()}
    assert len(pruned) == 2
    assert all(Artifact.load(point.made[0]).parent == parent.sha256 for point in points.values())


def test_what_is_shared_is_made_and_paid_once(swept: Sweep) -> None:
    points = swept.points()
    assert sum(point.seconds.train > 0 for point in points) == 2
    assert all(point.seconds.convert > 0 for point in points)
    run = swept.run
    assert run is not None
    assert run.value() == {"state": "done", "points": 4}


def test_numeric_types_of_one_model_are_quantised_from_one_float32_file(swept: Sweep) -> None:
    parents = {
        sparsity: {
            Artifact.load(point.made[-1]).parent for point in swept.points() if point.values[SPARSITY] == sparsity
        }
        for sparsity in (0.5, 0.8)
    }
    assert [len(each) for each in parents.values()] == [1, 1]
    files = {Artifact.load(point.made[-2]).sha256: Artifact.load(point.made[-2]).label for point in swept.points()}
    assert files == dict.fromkeys((*parents[0.5], *parents[0.8]), "tflite/float32")


def test_points_are_told_live(swept: Sweep, told: list[Event], seen: list[SweepPoint]) -> None:
    assert [point.state for point in seen] == ["made"] * 4 + ["done"] * 4
    assert {point.key for point in seen} == {point.key for point in swept.points()}
    progress = [event.data for event in told if event.type == "progress"]
    assert progress[3]["done"] == progress[3]["total"] == 4
    assert progress[3]["seconds_left"] == 0


def test_a_constraint_that_nothing_meets_is_said(swept: Sweep, told: list[Event]) -> None:
    notes = [event.data["text"] for event in told if event.type == "note"]
    assert notes[-1].startswith("No point keeps gzip <= 1 B; the nearest is sparsity 0.8, numeric")
    assert swept.frontier() == ()
    with pytest.raises(BadInputError, match="No point keeps gzip <= 1 B; the nearest is"):
        swept.best()


def test_frontier_best_and_importance_are_read_from_the_folder(swept: Sweep, workspace: Workspace) -> None:
    again = attach_sweep("four", workspace)
    assert again == swept
    members = again.frontier(("accuracy", "gzip"), ())
    smallest = min(again.points(), key=lambda point: point.variant.sizes.gzip if point.variant else 0)
    assert smallest in members
    assert again.best("gzip <= 1 MB").label in [point.label for point in again.points()]
    assert set(again.importance("gzip")) == {SPARSITY, NUMERIC}
    with pytest.raises(BadInputError, match="metric must be one of accuracy"):
        again.importance("beauty")
    with pytest.raises(BadInputError, match=r"must be one of the sweeps here \(.*four"):
        attach_sweep("five", workspace)


def test_the_same_sweep_again_asks_for_nothing(
    swept: Sweep, parent: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    before = runs_of(workspace)
    again = workbench.sweep(
        SPACE, parent, digits, name="four", workspace=workspace, runs=20, constraints=("gzip <= 1 B",)
    )
    assert (again.points(), runs_of(workspace)) == (swept.points(), before)


def test_a_finished_point_answers_in_another_sweep(
    swept: Sweep, parent: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    space = Space(CHAIN, {SPARSITY: [0.8], NUMERIC: ["int8"]})
    before = runs_of(workspace)
    other = workbench.sweep(space, parent, digits, workspace=workspace, runs=20)
    (point,) = other.points()
    assert runs_of(workspace) == before
    assert (other.state, other.run) == ("done", None)
    assert other.name.startswith("digits-")
    known = next(each for each in swept.points() if each.key == point.key)
    assert (point.sha256, point.noise) == (known.sha256, known.noise)
    assert point.seconds.total == 0


def test_estimates_are_measured_once_something_ran(
    swept: Sweep, parent: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    assert swept.estimate().points == 0
    handle = workbench.sweep(
        Space(CHAIN[1], {NUMERIC: ["int8"]}), parent, digits, name="priced", workspace=workspace, runs=20
    )
    (handle.folder.path / "points.jsonl").unlink()
    found = handle.estimate()
    assert (found.points, found.jobs, found.basis) == (1, 1, "measured")
    assert "from earlier runs" in found.text


@pytest.mark.thorough
def test_failures_stay_with_their_reason(parent: Artifact, digits: Dataset, workspace: Workspace) -> None:
    space = Space(
        Choice(CHAIN[1], MagnitudePruning(skip=("no_such_layer",), epochs=1, min_steps=0)), {NUMERIC: ["int8"]}
    )
    found = workbench.sweep(space, parent, digits, name="half", workspace=workspace, runs=20)
    assert found.state == "done"
    (point,) = found.failed()
    assert "skip must" in point.reason
    assert "no_such_layer" in point.reason
    before = runs_of(workspace)
    found.resume()
    assert runs_of(workspace) == before
    found.resume(retry_failed=True)
    assert len(runs_of(workspace)) > len(before)
    assert [each.state for each in found.points()] == [each.state for each in found.folder.points().values()]


@pytest.mark.thorough
def test_one_trajectory_serves_all_sparsities(parent: Artifact, digits: Dataset, workspace: Workspace) -> None:
    found = workbench.sweep(
        Space((MagnitudePruning(epochs=3, min_steps=0), CHAIN[1]), {SPARSITY: [0, 0.5, 0.7], NUMERIC: ["float16"]}),
        parent, digits, name="along",
        workspace=workspace, runs=20, share_trajectory=True,
    )  # fmt: skip
    assert [point.reason for point in found.failed()] == []
    plain, half, most = sorted(found.points(), key=lambda point: point.values[SPARSITY])
    assert (plain.along, half.along, most.along) == ((), (0.5, 0.7), (0.5, 0.7))
    assert sum(point.seconds.train > 0 for point in found.points()) == 1
    for point in (half, most):
        assert point.variant is not None
        assert point.variant.sparsity == pytest.approx(point.values[SPARSITY], abs=0.01)
    assert found.verify(most).equal


@pytest.mark.thorough
def test_two_seeds_show_their_spread_and_a_trained_parent_is_trained_once_a_seed(
    digits: Dataset, workspace: Workspace
) -> None:
    space = Space("post_training", {NUMERIC: ["float16", "int8"]}, train={"architecture": "mlp", "epochs": 1})
    found = workbench.sweep(space, None, digits, name="seeds", workspace=workspace, runs=20, seeds=(1, 2))
    assert len(found.points()) == 4
    assert sum(point.seconds.train > 0 for point in found.points()) == 2
    one, other = found.over_seeds()
    assert one.seeds == other.seeds == (1, 2)
    assert one.metrics["accuracy"].count == 2
    assert one.metrics["gzip"].deviation > 0
    assert found.best("gzip <= 1 MB").label in ("numeric float16", "numeric int8")


@pytest.mark.thorough
def test_a_verified_point_is_equal_to_the_byte(swept: Sweep) -> None:
    point = swept.point("sparsity 0.8, numeric int8")
    found = swept.verify(point)
    assert found.equal, found.differences
    assert Artifact.load(found.artifact).folder != Artifact.load(point.made[-1]).folder


@pytest.mark.thorough
def test_a_point_that_is_not_what_it_says_is_seen(swept: Sweep) -> None:
    point = swept.point("sparsity 0.5, numeric int8")
    assert point.variant is not None
    sizes = point.variant.sizes.model_copy(update={"raw": 1})
    lying = point.model_copy(update={"sha256": "0" * 64, "variant": point.variant.model_copy(update={"sizes": sizes})})
    found = swept.verify(lying)
    assert not found.equal
    assert [each.split(":")[0] for each in found.differences] == ["file", "raw"]


def test_the_exported_program_runs_and_finds_the_same(swept: Sweep, workspace: Workspace) -> None:
    before = runs_of(workspace)
    program = swept.export("py")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert runs_of(workspace) == before, "it is the same question"


def test_export_has_a_row_a_point(swept: Sweep, workspace: Workspace) -> None:
    rows = swept.export("csv").splitlines()
    assert len(rows) == 5
    assert rows[0].startswith(f"label,state,{SPARSITY},{NUMERIC},seed,format,numeric,accuracy,")
    assert len({row.count(",") - 2 * row.startswith('"') + row.startswith('"') for row in rows}) == 1
    target = workspace.home / "four.json"
    found = json.loads(swept.export("json", target))
    assert found == json.loads(target.read_text(encoding="utf-8"))
    assert [each["key"] for each in found["points"]] == [point.key for point in swept.points()]
    with pytest.raises(BadInputError, match="form must be one of csv, json, py"):
        swept.export("xlsx")  # type: ignore[arg-type]


@pytest.mark.thorough
def test_a_paused_sweep_goes_on_without_repeating(parent: Artifact, digits: Dataset, workspace: Workspace) -> None:
    space = Space(CHAIN[1], {"post_training.representative_samples": [20, 21]})

    def once(point: SweepPoint) -> None:
        attach_sweep("paused", workspace).pause()
        first.append(point)

    first: list[SweepPoint] = []
    found = workbench.sweep(
        space, parent, digits, name="paused", workspace=workspace, runs=20, workers=1, on_point=once
    )
    assert found.state == "paused"
    assert [point.state for point in found.points()] == ["made"]
    found.resume(workers=1)
    assert [point.state for point in found.points()] == ["done"] * 2
    assert found.points()[0].key == first[0].key


@pytest.mark.thorough
def test_a_cancelled_sweep_keeps_what_is_finished(parent: Artifact, digits: Dataset, workspace: Workspace) -> None:
    space = Space(CHAIN[1], {"post_training.representative_samples": [30, 31]})
    with pytest.raises(JobCancelledError):
        workbench.sweep(
            space, parent, digits, name="ended", workspace=workspace, runs=20, workers=1,
            on_point=lambda _: attach_sweep("ended", workspace).cancel(),
        )  # fmt: skip
    found = attach_sweep("ended", workspace)
    assert (found.state, len(found.points())) == ("cancelled", 1)
    assert found.resume().state == "done"


def test_half_a_line_of_a_killed_writer_costs_nothing(swept: Sweep, tmp_path: Any) -> None:
    copy = type(swept.folder)(tmp_path / "copy")
    shutil.copytree(swept.folder.path, copy.path)
    with (copy.path / "points.jsonl").open("ab") as file:
        file.write(b'{"key": "half')
    before = copy.points()
    copy.append(next(iter(before.values())))
    assert copy.points() == before == swept.folder.points()


def test_a_finished_sweep_whose_points_are_gone_gets_them_back(swept: Sweep) -> None:
    path = swept.folder.path / "points.jsonl"
    held, before = path.read_bytes(), {point.key for point in swept.points()}
    path.write_bytes(b"\xff\x00 no points\n")
    try:
        assert (swept.state, swept.points()) == ("done", ())
        assert {point.key for point in swept.resume().points()} == before
    finally:
        path.write_bytes(held)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"space": {}, "settings": {}, "parent": null, "dataset": {}}'])
def test_a_damaged_question_is_one_sentence(content: str, tmp_path: Path) -> None:
    (tmp_path / "space.json").write_text(content)
    with pytest.raises(WorkspaceError, match=r"space\.json"):
        SweepFolder(tmp_path).asked()


def test_wrong_types_are_one_sentence(swept: Sweep, parent: Artifact, digits: Dataset, workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match="space must be a Space"):
        workbench.sweep({"chain": []}, parent, digits, workspace=workspace)  # type: ignore[operator]
    with pytest.raises(BadInputError, match="epochs must be at least 1"):
        workbench.sweep(Space((), train={"epochs": -1}), None, digits, workspace=workspace)  # type: ignore[operator]
    for ask in (swept.point, swept.verify, swept.best):
        with pytest.raises(BadInputError, match="must be"):
            ask(5)  # type: ignore[operator]


def test_what_looks_like_a_yes_is_none(swept: Sweep, parent: Artifact, digits: Dataset, workspace: Workspace) -> None:
    for confirm in ("no", 1, None):
        with pytest.raises(BadInputError, match="confirm must be True or False"):
            workbench.sweep(SPACE, parent, digits, confirm=confirm, workspace=workspace)
    with pytest.raises(BadInputError, match="retry_failed must be True or False"):
        swept.resume(retry_failed="no")  # type: ignore[arg-type]


@pytest.mark.parametrize("home", [5, "/tmp"])
def test_a_workspace_that_is_none_is_one_sentence(home: object, parent: Artifact, digits: Dataset) -> None:
    for ask in (
        lambda: workbench.sweep(SPACE, parent, "digits", workspace=home),
        lambda: workbench.compress(parent, "magnitude_pruning", "digits", workspace=home),
        lambda: open_preview(parent, digits, workspace=home),  # type: ignore[arg-type]
        lambda: attach_sweep("four", home),  # type: ignore[arg-type]
        lambda: jobs(home),  # type: ignore[arg-type]
    ):
        with pytest.raises(BadInputError, match="workspace must be a Workspace or None, got"):
            ask()


@pytest.mark.parametrize("name", ["", "../up", ".hidden", "a/b", "a" * 65])
def test_a_name_that_is_no_folder_is_refused(
    name: str, parent: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    with pytest.raises(BadInputError, match="name must be up to 64 letters"):
        workbench.sweep(SPACE, parent, digits, name=name, workspace=workspace)


def test_a_name_belongs_to_one_question(
    swept: Sweep, parent: Artifact, trained: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    def ask(space: Space = SPACE, artifact: Artifact = parent, data: Dataset = digits, runs: int = 20) -> None:
        workbench.sweep(
            space, artifact, data, name="four", workspace=workspace, runs=runs, constraints=("gzip <= 1 B",)
        )

    with pytest.raises(BadInputError, match="name must not be taken by a sweep of another space"):
        ask(Space(CHAIN, {SPARSITY: [0.5]}))
    with pytest.raises(BadInputError, match="name must not be taken"):
        ask(runs=30)
    with pytest.raises(BadInputError, match="artifact must be the model that the sweep four began with"):
        ask(artifact=trained)
    images = np.zeros((40, 28, 28, 1), np.uint8)
    other = Dataset.from_arrays(images, np.arange(40) % 10, images, np.arange(40) % 10, workspace=workspace)
    with pytest.raises(BadInputError, match="data must be what the sweep four began with"):
        ask(data=other)
    assert len(swept.points()) == 4


def test_too_little_and_too_much_is_asked_back(parent: Artifact, digits: Dataset, workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match="space must have a chain, an axis or train settings"):
        workbench.sweep(Space(), parent, digits, workspace=workspace)
    # They are counted: a thousand million points that were made would fit into no memory.
    seeds = list(range(1000))
    many = {SPARSITY: [i / 1000 for i in seeds], "magnitude_pruning.seed": seeds, "post_training.seed": seeds}
    with pytest.raises(BadInputError, match=r"1,000,000,000 points and about 115741 days .*confirm=True"):
        workbench.sweep(Space(CHAIN, many), parent, digits, workspace=workspace)
    with pytest.raises(BadInputError, match="artifact must be given"):
        workbench.sweep(SPACE, None, digits, workspace=workspace)
    with pytest.raises(BadInputError, match="artifact must be None"):
        workbench.sweep(Space((), {"train.epochs": [1]}), parent, digits, workspace=workspace)
    with pytest.raises(BadInputError, match="objectives must be one of accuracy"):
        workbench.sweep(SPACE, parent, digits, workspace=workspace, objectives=("beauty",))
    with pytest.raises(BadInputError, match="patience must come with a validation split"):
        workbench.sweep(Space((), {"train.patience": [3]}), None, digits, workspace=workspace)


@pytest.mark.thorough
def test_data_that_was_changed_on_disk_is_refused(parent: Artifact, workspace: Workspace) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (40, 28, 28, 1), np.uint8)
    labels = np.arange(40) % 10
    data = Dataset.from_arrays(images, labels, images, labels, name="changed", workspace=workspace)
    space = Space("post_training", {"post_training.min_agreement": [0.0]})
    found = workbench.sweep(space, parent, data, name="changed", workspace=workspace, runs=20)
    (point,) = found.points()
    (workspace.cache / "points" / f"{point.key}.json").unlink()
    (found.folder.path / "points.jsonl").unlink()
    found.folder.say("paused", "")
    file = data.folder / "x_test.npy"
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.chmod(0o644)
    file.write_bytes(raw)
    with pytest.raises(WorkspaceError, match="must hold the data that the sweep changed began with"):
        found.resume()
    assert found.state == "failed"


@pytest.mark.parametrize("workers", [0, 1.5, "two"])
def test_a_wrong_count_of_workers_leaves_no_folder(
    workers: Any, parent: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    with pytest.raises(BadInputError, match="workers must be"):
        workbench.sweep(SPACE, parent, digits, name="nobody-works", workers=workers, workspace=workspace)
    with pytest.raises(BadInputError, match="workers must be"):
        workbench.search(digits, name="nobody-works", workers=workers, workspace=workspace)
    assert not (workspace.sweeps / "nobody-works").exists()
