"""A retraining learns the hard set, forgets little, is bounded, and publishes only what passes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

import workbench.convert
import workbench.train
from workbench.core.errors import BadInputError
from workbench.core.events import EventReader
from workbench.core.records import Evaluation, Proportion, RetrainReport
from workbench.core.workspace import Workspace
from workbench.evaluate.gate import Gate
from workbench.pipeline.ancestry import ancestors, road_to
from workbench.pipeline.budget import RetrainBudget
from workbench.pipeline.hard_set import HardSet, hard_set
from workbench.pipeline.retrain import RetrainSettings, retrain
from workbench.pipeline.settings import RoadSettings
from workbench.pipeline.successor import _line, served_now
from workbench.serve.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.artifact import Artifact
    from workbench.core.events import Event
    from workbench.datasets import Dataset

NAME = "retrained"


def test_a_road_like_the_one_it_came_along(converted: dict[str, Artifact], workspace: Workspace) -> None:
    chain = [each.label for each in ancestors(converted["tflite/int8"], workspace)]
    assert chain == ["tflite/int8", "tf_keras/float32"]
    assert road_to(converted["onnx/float32"], workspace) == RoadSettings(
        architecture="docs_cnn", recipe="docs", epochs=5, sparsity=0, seed=0
    )


def test_a_model_that_nobody_knows_of_is_trained_as_ever(converted: dict[str, Artifact], tmp_path: Path) -> None:
    assert road_to(converted["onnx/float32"], Workspace.at(tmp_path)) == RoadSettings(sparsity=0)


def test_what_is_stable_is_followed_else_the_newest(converted: dict[str, Artifact], tmp_path: Path) -> None:
    place = Workspace.at(tmp_path)
    with pytest.raises(BadInputError, match="model must be in the store"):
        served_now("digits", place)
    store = Store.of(place)
    store.publish(converted["onnx/float32"], "digits")
    store.publish(converted["tflite/int8"], "digits")
    assert served_now("digits", place).label == "tflite/int8"
    (place.models / "digits" / "labels.json").write_text('{"stable": 1}', encoding="utf-8")
    assert served_now("digits", place).label == "onnx/float32"


def answered(right: int) -> Evaluation:
    share = Proportion(value=right / 4, low=0, high=1, successes=right, total=4)
    return Evaluation(
        model="m", dataset="d", checksum="c", split="test", accuracy=share, log_loss=0, calibration_error=0,
        classes=(), confusion=(), calibration=(), correct="1" * right + "0" * (4 - right),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "gain", "passed"), [(1, 1, 0, True), (1, 0, 0, False), (1, 2, 0.3, False), (3, 4, 0.9, True)]
)  # fmt: skip
def test_the_hard_samples_must_gain_what_is_asked(before: int, after: int, gain: float, passed: bool) -> None:  # noqa: FBT001
    line = _line(answered(after), answered(before), "mine", gain)
    assert line.passed is passed
    assert line.reason.startswith("Right answers on 4 held-back samples of mine")


def test_nothing_held_back_is_nothing_proved() -> None:
    line = _line(None, None, "mine", 0)
    assert not line.passed
    assert "add at least three" in line.reason


def test_a_hard_set_of_elsewhere_is_refused(
    converted: dict[str, Artifact], digits: Dataset, workspace: Workspace, tmp_path: Path
) -> None:
    elsewhere = hard_set("mine", workspace=Workspace.at(tmp_path))
    with pytest.raises(BadInputError, match="hard must lie in the workspace"):
        retrain(converted["onnx/float32"], digits, elsewhere, workspace=workspace)


@pytest.fixture(scope="module")
def model(digits: Dataset, workspace: Workspace) -> Artifact:
    """A quick network in ONNX, published as stable."""
    trained = workbench.train(digits, architecture="mlp", epochs=4, workspace=workspace)
    made = workbench.convert(trained, "onnx", dataset=digits, workspace=workspace)
    store = Store.of(workspace)
    store.publish(made, NAME, verdict=Gate().check(workbench.evaluate(made, digits, workspace=workspace)))
    store.label(NAME, "stable", 1)
    return made


@pytest.fixture(scope="module")
def inverted(digits: Dataset, workspace: Workspace) -> HardSet:
    """Digits that are black on white, which a network of white on black does not know."""
    hard = hard_set("inverted", workspace=workspace)
    for index in range(0, 400, 5):
        image = digits.floats("train", slice(index, index + 1))[0]
        hard.add(1 - image, int(digits.labels("train", slice(index, index + 1))[0]))
    return hard


@pytest.fixture(scope="module")
def learnt(
    model: Artifact, inverted: HardSet, digits: Dataset, workspace: Workspace
) -> tuple[RetrainReport, list[Event]]:
    events: list[Event] = []
    report = retrain(
        NAME, digits, inverted, gate=Gate(max_drop=0.05), settings=RetrainSettings(min_gain=0.2, labels=("canary",)),
        budget=RetrainBudget(max_runs=5), workspace=workspace, on_event=events.append,
    )  # fmt: skip
    assert report.before == model.sha256
    return report, events


@pytest.mark.thorough
def test_it_learns_what_was_hard_and_forgets_little(learnt: tuple[RetrainReport, list[Event]]) -> None:
    report, events = learnt
    assert report.verdict.passed, report.verdict.reasons
    assert report.hard_before is not None
    assert report.hard_after is not None
    assert report.hard_after.value >= report.hard_before.value + 0.2
    assert report.drop <= 0.05
    assert (report.samples, report.trained_on, report.hard_after.total) == (80, 64, 16)
    assert [line.rule for line in report.verdict.lines] == ["max_drop", "hard_set"]
    steps = list(dict.fromkeys(each.data["step"] for each in events if each.type == "step"))
    assert steps == ["data", "evaluate", "train", "convert", "publish"]


@pytest.mark.thorough
def test_it_is_published_past_the_gate_and_stable_stays(
    learnt: tuple[RetrainReport, list[Event]], workspace: Workspace
) -> None:
    report, _ = learnt
    store = Store.of(workspace)
    assert report.published is not None
    assert report.published.version == 2
    assert store.labels(NAME) == {"stable": 1, "canary": 2}
    assert store.gate(NAME, 2) == "passed"
    assert served_now(NAME, workspace).sha256 == report.before


@pytest.mark.thorough
def test_it_cannot_run_for_ever(
    learnt: tuple[RetrainReport, list[Event]], inverted: HardSet, digits: Dataset, workspace: Workspace
) -> None:
    assert learnt[0].runs_left == 4
    with pytest.raises(BadInputError, match=f"must hold at least 10 samples that no retraining of {NAME} on inverted"):
        retrain(NAME, digits, inverted, workspace=workspace)
    with pytest.raises(BadInputError, match="must happen at most 1 times"):
        retrain(NAME, digits, inverted, budget=RetrainBudget(max_runs=1), workspace=workspace)


@pytest.mark.thorough
def test_what_fails_is_told_and_not_published(
    model: Artifact, inverted: HardSet, digits: Dataset, workspace: Workspace
) -> None:
    before = Store.of(workspace).versions(NAME)
    report = retrain(
        model, digits, inverted, gate=Gate(min_accuracy=1), workspace=workspace,
        road=RoadSettings(architecture="mlp", epochs=1, attempts=1, sparsity=0),
    )  # fmt: skip
    assert not report.verdict.passed
    assert report.published is None
    assert "must be at least 100.00 %" in report.verdict.reasons
    assert Store.of(workspace).versions(NAME) == before


@pytest.mark.thorough
def test_the_command_ends_with_1_where_it_fails_and_2_where_the_budget_is_spent(
    model: Artifact,  # noqa: ARG001 - it is in the store
    inverted: HardSet,
    workspace: Workspace,
) -> None:
    command = [
        sys.executable, "-m", "workbench", "retrain", NAME, "--dataset", "digits", "--hard-set", "few", "--json",
        "--min-new-samples", "2", "--max-runs", "1", "--max-bytes", "1",
    ]  # fmt: skip
    few = hard_set("few", workspace=workspace)
    for sample, stored in inverted.samples()[:4]:
        few.add(stored, (sample.label + 1) % 10)  # what is wrong is not learnt in a moment
    ends = [
        subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "WORKBENCH_HOME": home})
        for home in [str(workspace.home)] * 2
    ]
    assert [done.returncode for done in ends] == [1, 2], ends
    assert not RetrainReport.from_json(json.loads(ends[0].stdout)).verdict.passed
    assert "must happen at most 1 times in 86400 s" in ends[1].stderr


def trains(run: Path) -> bool:
    return any(event.data.get("step") == "train" for event in EventReader(run).read())


@pytest.mark.faults
def test_one_that_is_killed_is_spent_and_leaves_the_store_alone(
    model: Artifact,  # noqa: ARG001 - it is in the store
    inverted: HardSet,
    digits: Dataset,
    workspace: Workspace,
) -> None:
    before = Store.of(workspace).history(NAME)
    killed = hard_set("killed", workspace=workspace)
    for sample, stored in inverted.samples()[:10]:
        killed.add(stored, sample.label)
    command = [sys.executable, "-m", "workbench", "retrain", NAME, "--dataset", "digits", "--hard-set", "killed"]
    known = set(workspace.list_runs("retrain"))
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "WORKBENCH_HOME": str(workspace.home)},
    ) as process:  # fmt: skip
        while not any(trains(run) for run in set(workspace.list_runs("retrain")) - known):
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()
    with pytest.raises(BadInputError, match="must happen at most 1 times in 86400 s, got '1 already'"):
        retrain(NAME, digits, killed, budget=RetrainBudget(max_runs=1), workspace=workspace)
    assert Store.of(workspace).history(NAME) == before


def test_what_would_only_measure_is_refused_before_the_budget_is_spent(
    converted: dict[str, Artifact], digits: Dataset, workspace: Workspace
) -> None:
    hard = hard_set("of-the-test-split", workspace=workspace)
    for index in range(12):
        hard.add(digits.floats("test", slice(index, index + 1))[0], int(digits.y_test[index]))
    with pytest.raises(BadInputError, match="must hold samples to learn from, got '12 that only measure'"):
        retrain(converted["onnx/float32"], digits, hard, workspace=workspace)
    assert not (hard.folder / "retraining").exists()
