"""Where the road stands, as the runs of a workspace say."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.panels.served import tiny_model
from workbench.core.events import EventWriter
from workbench.jobs import submit
from workbench.jobs.request import Request
from workbench.monitor.kept import NAME, Kept, write_kept
from workbench.panels.parts.stages import ROAD, Stages
from workbench.panels.session import Session
from workbench.panels.stepper import StepperPanel
from workbench.serve.sandbox import serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workbench.core.workspace import Workspace

SOON = 30


@pytest.fixture
def session(fresh_workspace: Workspace) -> Iterator[Session]:
    made = Session(fresh_workspace)
    yield made
    made.close()


def test_an_empty_workspace_is_a_road_that_nobody_went(fresh_workspace: Workspace) -> None:
    steps = Stages(fresh_workspace).look()
    assert [step["name"] for step in steps] == list(ROAD)
    assert {(step["state"], step["word"], step["detail"]) for step in steps} == {("none", "not yet", "")}


def test_what_was_done_here_is_done(fresh_workspace: Workspace) -> None:
    submit("probe_stages:echo", {}, kind="train", workspace=fresh_workspace).wait(SOON)
    steps = {step["name"]: step for step in Stages(fresh_workspace).look()}
    assert (steps["train"]["state"], steps["train"]["word"]) == ("done", "done")
    assert "last" in steps["train"]["detail"]


def test_what_failed_is_told(workspace: Workspace) -> None:
    job = submit("probe_stages:no_such_stage", {}, kind="drill", workspace=workspace, reuse=False)
    with pytest.raises(Exception, match="no_such_stage"):
        job.wait(SOON)
    step = next(step for step in Stages(workspace).look() if step["name"] == "monitor")
    assert (step["state"], step["word"]) == ("failed", "failed")


def test_a_run_that_was_resumed_is_told_anew(fresh_workspace: Workspace) -> None:
    stages, run = Stages(fresh_workspace), fresh_workspace.new_run("train")

    def told() -> tuple[str, str]:
        step = next(step for step in stages.look() if step["name"] == "train")
        return step["state"], step["word"]

    assert told() == ("none", "not yet")  # its folder is there, but not yet what was asked for
    Request.of("probe_stages:hold", {}, "train").write(run)
    assert told() == ("failed", "broken off")
    events = EventWriter(run)
    events.emit("state", state="cancelled", attempt=1)
    assert told() == ("none", "cancelled")
    events.emit("state", state="done", attempt=2)
    assert told() == ("done", "done")
    events.close()


def test_a_server_that_a_monitor_watches_is_told_with_its_alarms(fresh_workspace: Workspace, tmp_path: Path) -> None:
    stages = Stages(fresh_workspace)

    def told() -> tuple[str, str, str]:
        step = next(step for step in stages.look() if step["name"] == "monitor")
        return step["state"], step["word"], step["detail"]

    with serve(tiny_model(tmp_path / "tiny", fresh_workspace), workspace=fresh_workspace, workers=1) as server:
        assert told() == ("none", "not yet", "")
        write_kept(server.folder / NAME, Kept())
        assert told() == ("running", "watched", "")
        write_kept(server.folder / NAME, Kept(raised={"errors": True, "slow": False}))
        assert told() == ("failed", "alarm", "errors")
    assert told() == ("none", "not yet", "")


def test_a_stage_that_is_pressed_is_where_the_page_goes(session: Session) -> None:
    panel, shown = StepperPanel(session), threading.Event()
    panel._steps.observe(lambda _change: shown.set(), "steps")
    panel.refresh()
    assert shown.wait(SOON)
    panel._steps._handle_custom_msg({"type": "go", "name": "convert"}, [])
    assert (session.place, panel._steps.selected, panel.settings.model_dump()) == (
        "convert", "convert", {"place": "convert"},
    )  # fmt: skip
    panel._steps._handle_custom_msg({"type": "go", "name": "../../etc"}, [])
    assert session.place == "convert"
    session.place = "serve"
    assert panel._steps.selected == "serve"
    session.place = "draw"
    assert panel._steps.selected == ""
    panel.close()
