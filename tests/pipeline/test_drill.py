"""Incidents that are caused are noticed, and no client of a server that is mended goes without an answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

from workbench.cli import app
from workbench.core.errors import BadInputError
from workbench.core.records import DrillMoment, DrillReport
from workbench.evaluate.runtimes import open_runtime
from workbench.pipeline.drill.faults.base import faults
from workbench.pipeline.drill.scene import Timeline
from workbench.pipeline.drill.settings import DrillSettings
from workbench.pipeline.drill.spoiled import with_mixed_classes, with_slow_answers
from workbench.pipeline.drill.verb import drill

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.artifact import Artifact
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset

SETTINGS = DrillSettings(quiet_seconds=1.5)
ROLLED_BACK = ["begun", "fault", "alarm", "reaction", "restored", "ended"]
HELPED_ITSELF = ["begun", "fault", "alarm", "restored", "ended"]


def played(fault: str, workspace: Workspace) -> DrillReport:
    """Play a drill that must end well; it leaves no model behind."""
    moments: list[DrillMoment] = []

    def note(event: object) -> None:
        if getattr(event, "type", "") == "moment":
            moments.append(DrillMoment.from_json(event.data))  # type: ignore[attr-defined]

    before = set(workspace.models.iterdir()) if workspace.models.is_dir() else set()
    report = drill(fault, settings=SETTINGS, workspace=workspace, on_event=note)
    assert report.passed, report
    assert report.failed == 0
    assert tuple(moments) == report.timeline
    assert set(workspace.models.iterdir()) == before
    return report


@pytest.mark.faults
@pytest.mark.parametrize(
    ("fault", "kinds", "noticed", "done"),
    [
        ("bad_version", ROLLED_BACK, "labelled answers were right", "Rolled back to version 1."),
        ("slow_model", ROLLED_BACK, "p95_ms is", "Rolled back to version 1."),
        ("worker_killed", HELPED_ITSELF, "1 workers ended and were replaced", ""),
        ("disk_full", ROLLED_BACK, "answers could not be noted", "Room is made."),
        ("flood", HELPED_ITSELF, "p95_ms is", ""),
    ],
)
def test_it_is_noticed_and_mended(fault: str, kinds: list[str], noticed: str, done: str, workspace: Workspace) -> None:
    report = played(fault, workspace)
    said = {moment.kind: moment.words for moment in report.timeline}
    assert [moment.kind for moment in report.timeline] == kinds
    assert noticed in said["alarm"]
    assert said.get("reaction", "") == done


@pytest.mark.thorough
def test_drift_is_answered_with_a_model_that_learnt_it(workspace: Workspace) -> None:
    report = played("drift", workspace)
    said = {moment.kind: moment.words for moment in report.timeline}
    assert "areas differ" in said["alarm"]
    assert said["reaction"].endswith("version 2 passed the gate and answers.")


def test_every_fault_says_what_it_is_and_teaches() -> None:
    assert set(faults.names()) == {"bad_version", "disk_full", "drift", "flood", "slow_model", "worker_killed"}
    for name in faults.names():
        fault = faults.get(name)
        assert fault.title
        assert fault.lesson.endswith(".")


def test_a_fault_that_there_is_not_is_one_sentence(workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match=r"fault must be one of bad_version, .*, got 'earthquake'"):
        drill("earthquake", workspace=workspace)


def test_settings_that_are_none_are_one_sentence(workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match="settings must be DrillSettings or None, got 3"):
        drill("drift", settings=3, workspace=workspace)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ((None, None, None), "a flood: nobody noticed; 0 of 1,200 requests failed."),
        ((1.0, None, None), "a flood: noticed after 1.00 s, clients were not served as before in time; 0 of"),
        ((1.0, 0.5, 2.0), "noticed after 1.00 s, mended 0.50 s later, clients served as before after 2.00 s; 0 of"),
    ],
)
def test_how_it_went_is_a_sentence(times: tuple[float | None, ...], said: str) -> None:
    noticed, reaction, restored = times
    report = DrillReport(
        fault="flood", title="a flood", timeline=(), noticed_seconds=noticed, reaction_seconds=reaction,
        restored_seconds=restored, requests=1200, failed=0, lesson="Wait.",
    )  # fmt: skip
    assert said in report.summary


def test_the_command_lists_what_can_go_wrong() -> None:
    lines = CliRunner().invoke(app, ["drill"]).stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(faults.names())


@pytest.mark.faults
def test_the_command_plays_and_says_how_it_went(workspace: Workspace) -> None:
    done = CliRunner().invoke(
        app, ["drill", "worker_killed", "--quiet-seconds", "1.5", "--json", "--home", str(workspace.home)]
    )
    assert done.exit_code == 0
    (report,) = json.loads(done.stdout)
    assert (report["fault"], report["failed"]) == ("worker_killed", 0)


def test_mixed_classes_are_as_sure_as_before_and_wrong(
    converted: dict[str, Artifact], digits: Dataset, tmp_path: Path
) -> None:
    images, artifact = digits.floats("test", slice(0, 20)), converted["onnx/float32"]
    mixed = with_mixed_classes(artifact, tmp_path)
    with open_runtime(artifact) as right, open_runtime(mixed) as wrong:
        answers = right.predict(images)
        np.testing.assert_allclose(wrong.predict(images), np.roll(answers, -1, axis=1), atol=1e-6)


def test_slow_answers_are_right(converted: dict[str, Artifact], digits: Dataset, tmp_path: Path) -> None:
    images, artifact = digits.floats("test", slice(0, 2)), converted["onnx/float32"]
    with open_runtime(artifact) as usual, open_runtime(with_slow_answers(artifact, tmp_path)) as slow:
        np.testing.assert_allclose(slow.predict(images), usual.predict(images), atol=1e-6)


def test_seconds_lie_between_what_came_first_and_what_followed() -> None:
    timeline = Timeline(lambda _: None)
    for kind in ("begun", "fault", "alarm"):
        timeline.add(kind, "It happened.")  # type: ignore[arg-type]
    first, _, last = (moment.seconds for moment in timeline.moments)
    assert timeline.between("begun", "alarm") == round(last - first, 3)
    assert timeline.between("fault", "restored") is None
    assert timeline.between("alarm", "fault") is None
