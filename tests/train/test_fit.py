from __future__ import annotations

import os
import signal
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import psutil
import pytest

import workbench
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, JobCancelledError, JobFailedError, JobLostError, JobPausedError
from workbench.core.records import EpochPoint, LearningCurve
from workbench.datasets import load_dataset
from workbench.jobs import Job, jobs, submit
from workbench.train.fit import STAGE, train_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.events import Event
    from workbench.core.workspace import Workspace

# Seconds a step enough to be killed in the middle, and all that has a state of its own: schedule, shifts, optimizer.
LONG: dict[str, Any] = {"recipe": "best", "architecture": "small_cnn", "batch_size": 8, "epochs": 3}


def begun(workspace: Workspace, **changes: Any) -> Job:
    settings = train_settings(load_dataset("digits", workspace=workspace), **{**LONG, **changes})
    return submit(STAGE, settings, kind="train", workspace=workspace, reuse=False)


def until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.01)
    return value


def in_epoch(job: Job, epoch: int) -> bool:
    return any(event.type == "batch" and event.data["epoch"] == epoch for event in job.events().read())


def process_of(job: Job) -> psutil.Process:
    """Return the child that works in a run's folder."""
    for process in psutil.process_iter(["cwd"]):
        if process.info["cwd"] == str(job.folder):
            return process
    raise AssertionError(f"nobody works on {job.id}")


@pytest.fixture(scope="module")
def trained(workspace: Workspace) -> tuple[Artifact, list[Event]]:
    events: list[Event] = []
    return workbench.train("digits", "docs", epochs=2, seed=5, workspace=workspace, on_event=events.append), events


def test_the_model_is_vouched_for_and_its_curve_lies_beside_it(trained: tuple[Artifact, list[Event]]) -> None:
    artifact, _ = trained
    artifact.verify()
    assert (artifact.format, artifact.numeric, artifact.file, artifact.seed) == (
        "tf_keras", "float32", "model.keras", 5,
    )  # fmt: skip
    assert artifact.metrics["parameters"] == 93_322
    assert artifact.settings["recipe"] == "docs"
    assert artifact.sizes().raw < 500_000, "the optimizer's state is not part of the model"
    curve = LearningCurve.model_validate_json((artifact.folder / "curve.json").read_text())
    assert [point.epoch for point in curve.points] == [1, 2]
    assert curve.best_epoch == 2
    assert curve.points[1].loss < curve.points[0].loss


def test_it_is_told_live_how_it_goes(trained: tuple[Artifact, list[Event]]) -> None:
    _, events = trained
    batches = [event for event in events if event.type == "batch"]
    assert {"epoch", "batch", "batches", "loss", "accuracy"} == set(batches[0].data)
    assert all(later.time - earlier.time > 0.09 for earlier, later in pairwise(batches))
    epochs = [EpochPoint(**event.data) for event in events if event.type == "epoch"]
    assert [point.epoch for point in epochs] == [1, 2]
    last = [event.data for event in events if event.type == "progress"][-1]
    assert last["done"] == last["total"] == 2 * 23
    assert any("not MNIST" in event.data["text"] for event in events if event.type == "note")


def test_the_same_question_is_answered_at_once(trained: tuple[Artifact, list[Event]], workspace: Workspace) -> None:
    count = len(jobs(workspace, "train"))
    assert workbench.train("digits", "docs", epochs=2, seed=5, workspace=workspace) == trained[0]
    assert len(jobs(workspace, "train")) == count


def test_equal_seeds_give_equal_bytes_and_others_do_not(
    trained: tuple[Artifact, list[Event]], workspace: Workspace
) -> None:
    twin = begun(workspace, recipe="docs", architecture="docs_cnn", batch_size=64, epochs=2, seed=5)
    quick = [begun(workspace, architecture="mlp", batch_size=64, epochs=1, seed=seed) for seed in (5, 6)]
    same, first, second = (Artifact.load(job.wait(60)["artifact"]).sha256 for job in (twin, *quick))
    assert same == trained[0].sha256
    assert first != second


@pytest.mark.faults
def test_killed_in_mid_epoch_it_resumes_from_the_last_one_as_if_nothing_had_been(workspace: Workspace) -> None:
    whole, killed = begun(workspace), begun(workspace)
    until(lambda: in_epoch(killed, 2))
    os.kill(process_of(killed).pid, signal.SIGKILL)
    with pytest.raises((JobFailedError, JobLostError)):
        killed.wait(10)
    begun_again = len(killed.events().read())
    value = killed.resume().wait(60)
    after = [event for event in killed.events().read()[begun_again:] if event.type in ("note", "epoch")]
    assert "Resumed after epoch" in "".join(event.data.get("text", "") for event in after)
    assert 1 not in [event.data["epoch"] for event in after if event.type == "epoch"], "epoch 1 was done before"
    expected = whole.wait(60)
    assert Artifact.load(value["artifact"]).sha256 == Artifact.load(expected["artifact"]).sha256
    assert [_without_time(point) for point in value["curve"]["points"]] == [
        _without_time(point) for point in expected["curve"]["points"]
    ]


def test_a_paused_training_ends_with_its_epoch_and_goes_on_with_the_next(workspace: Workspace) -> None:
    whole, paused = begun(workspace, epochs=4), begun(workspace, epochs=4)
    until(lambda: in_epoch(paused, 2))
    paused.pause()
    with pytest.raises(JobPausedError, match="resume"):
        paused.wait(60)
    assert paused.state == "paused"
    value = paused.resume().wait(60)
    epochs = [event.data["epoch"] for event in paused.events().read() if event.type == "epoch"]
    assert epochs == [1, 2, 3, 4], "no epoch is lost, and none is made twice"
    assert Artifact.load(value["artifact"]).sha256 == Artifact.load(whole.wait(60)["artifact"]).sha256


def test_a_cancel_takes_effect_within_two_seconds_and_leaves_no_process(workspace: Workspace) -> None:
    job = begun(workspace, epochs=500)
    until(lambda: in_epoch(job, 1))
    child = process_of(job)
    asked = time.monotonic()
    job.cancel()
    with pytest.raises(JobCancelledError):
        job.wait(10)
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 5)
    assert time.monotonic() - asked < 2


def test_bad_settings_start_no_job(workspace: Workspace) -> None:
    count = len(jobs(workspace, "train"))
    with pytest.raises(BadInputError, match="epochs must be"):
        workbench.train("digits", epochs=-1, workspace=workspace)
    assert len(jobs(workspace, "train")) == count


@pytest.mark.slow
def test_a_killed_worker_takes_the_training_along_and_it_resumes(fresh_workspace: Workspace) -> None:
    job = begun(fresh_workspace)
    until(lambda: in_epoch(job, 2))
    child = process_of(job)
    worker = child.parents()[1]  # between them is the forkserver
    killed = time.monotonic()
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(JobLostError):
        job.wait(10)
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 5)
    assert time.monotonic() - killed < 2
    value = job.resume().wait(120)
    assert [point["epoch"] for point in value["curve"]["points"]] == [1, 2, 3]
    assert "Resumed after epoch 1" in "".join(event.data.get("text", "") for event in job.events().read())


@pytest.mark.slow
def test_the_docs_recipe_passes_its_gate_on_mnist(workspace: Workspace) -> None:
    if not os.environ.get("WORKBENCH_DATA"):
        pytest.skip("needs MNIST: set WORKBENCH_DATA to a folder that holds mnist.npz")
    artifact = workbench.train("mnist", "docs", workspace=workspace)
    assert workbench.evaluate(artifact, "mnist", workspace=workspace).accuracy.value >= 0.988


def _without_time(point: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in point.items() if name != "seconds"}
