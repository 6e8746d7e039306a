import errno
import sys
from pathlib import Path

import pytest

from workbench.core.errors import BadInputError, JobCancelledError, JobFailedError, WorkspaceError
from workbench.core.events import Event
from workbench.core.workspace import Workspace
from workbench.jobs import StageContext, attach, here


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stages_here", sys.modules[__name__])


def double(context: StageContext) -> dict[str, int]:
    context.emit("note", text="doubling")
    (context.result / "made.txt").write_text("x")
    return {"twice": 2 * context.settings["number"]}


def refuse(context: StageContext) -> None:
    raise BadInputError.of("number", rule="must be even", got=context.settings["number"])


def stumble(context: StageContext) -> None:
    raise ZeroDivisionError(context.folder.name)


def be_cancelled(context: StageContext) -> None:
    attach(context.folder.name, context.workspace).cancel()
    context.emit("note", text="and now?")
    raise AssertionError


def fill_the_disk(context: StageContext) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", str(context.folder))


def interrupt(context: StageContext) -> None:
    raise KeyboardInterrupt(context.folder.name)


def test_a_stage_here_leaves_a_run_like_any_other(tmp_path: Path) -> None:
    workspace, seen = Workspace.at(tmp_path), list[Event]()
    job = here("stages_here:double", {"number": 4}, kind="double", workspace=workspace, on_event=seen.append)
    assert job.value() == {"twice": 8}
    assert attach(job.id, workspace).state == "done"
    assert [(e.type, e.data.get("state") or e.data.get("text")) for e in seen] == [
        ("state", "running"),
        ("note", "doubling"),
        ("state", "done"),
    ]


def test_errors_come_as_they_are_and_stay_in_the_folder(tmp_path: Path) -> None:
    workspace = Workspace.at(tmp_path)
    with pytest.raises(BadInputError, match="number must be even, got 3"):
        here("stages_here:refuse", {"number": 3}, kind="refuse", workspace=workspace)
    with pytest.raises(JobFailedError, match=r"ZeroDivisionError.*stderr\.log"):
        here("stages_here:stumble", {}, kind="stumble", workspace=workspace)
    (run,) = workspace.list_runs("stumble")
    assert attach(run.name, workspace).state == "failed"
    assert "ZeroDivisionError" in (run / "stderr.log").read_text()


def test_an_interrupt_is_a_cancel(tmp_path: Path) -> None:
    workspace = Workspace.at(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        here("stages_here:interrupt", {}, kind="interrupt", workspace=workspace)
    (run,) = workspace.list_runs("interrupt")
    assert attach(run.name, workspace).state == "cancelled"


def test_a_cancel_from_elsewhere_is_obeyed(tmp_path: Path) -> None:
    workspace = Workspace.at(tmp_path)
    with pytest.raises(JobCancelledError, match="was cancelled"):
        here("stages_here:be_cancelled", {}, kind="cancelled", workspace=workspace)
    (run,) = workspace.list_runs("cancelled")
    assert attach(run.name, workspace).state == "cancelled"


def test_a_full_disk_is_told_as_one(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="free some space"):
        here("stages_here:fill_the_disk", {}, kind="full", workspace=Workspace.at(tmp_path))


def test_what_the_cluster_does_not_run_cannot_be_resumed(tmp_path: Path) -> None:
    workspace = Workspace.at(tmp_path)
    with pytest.raises(BadInputError):
        here("stages_here:refuse", {"number": 3}, kind="refuse", workspace=workspace)
    (run,) = workspace.list_runs("refuse")
    with pytest.raises(BadInputError, match="job must be one that the cluster runs to be resumed, got 'refuse'"):
        attach(run.name, workspace).resume()
