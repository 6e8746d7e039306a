"""Processes are killed and disks are full, on clusters that no other tests use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest
from probing import cluster_pid, go, gone, kill, ready, turns, until, worker_of

from workbench.core.errors import BadInputError, JobLostError, WorkspaceError
from workbench.core.workspace import Workspace
from workbench.jobs import attach, ensure_cluster, jobs, stop_cluster, submit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workbench.jobs import Job

pytestmark = pytest.mark.faults


def _hold(stage: str = "hold") -> Job:
    return submit(f"probe_stages:{stage}", {}, kind="probe", reuse=False)


@pytest.fixture(scope="module")
def one_place_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    home = Workspace.at(tmp_path_factory.mktemp("one_place") / "home")
    yield home
    stop_cluster(home)


@pytest.fixture
def one_place(one_place_home: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace whose cluster runs one job at a time; tests that kill it leave the next one to start another."""
    monkeypatch.setenv("WORKBENCH_HOME", str(one_place_home.home))
    monkeypatch.setenv("WORKBENCH_PRELOAD", "")
    monkeypatch.setenv("WORKBENCH_WORKERS", "1")
    return one_place_home


@pytest.mark.usefixtures("one_place")
def test_a_killed_worker_is_seen_its_child_dies_and_the_job_goes_on() -> None:
    job, waiting = _hold(), _hold()
    child = ready(job)
    kill(worker_of(child))
    with pytest.raises(JobLostError, match="resume"):
        job.wait(10)
    until(lambda: gone(child))
    # The job that only waited there is placed again by itself, before ours comes back for its second turn.
    ready(waiting)
    go(waiting)
    assert waiting.wait(20) == {"resumed": False}
    job.resume()
    ready(job, times=2)
    go(job)
    assert job.wait(20) == {"resumed": True}
    assert turns(job) == [("queued", 1), ("running", 1), ("queued", 2), ("running", 2), ("done", 2)]


@pytest.mark.usefixtures("one_place")
def test_a_child_that_is_busy_in_c_dies_with_its_worker_too() -> None:
    job = _hold("hold_the_interpreter")
    child = ready(job)
    kill(worker_of(child))
    until(lambda: gone(child) and job.state == "lost")


def test_a_killed_cluster_takes_its_jobs_along_and_the_next_one_resumes_them(
    one_place: Workspace,
) -> None:
    job, waiting = _hold(), _hold()
    child = ready(job)
    kill(cluster_pid(one_place))
    for one in (job, waiting):
        with pytest.raises(JobLostError):
            one.wait(10)
    until(lambda: gone(child))
    waiting.resume()
    go(waiting)
    assert waiting.wait(20) == {"resumed": False}
    assert job.state == "lost"
    job.resume()
    go(job)
    assert job.wait(20) == {"resumed": True}


@pytest.mark.usefixtures("workspace")
def test_a_job_outlives_the_process_that_asked_for_it() -> None:
    program = (
        "import time; from workbench.jobs import submit\n"
        "print(submit('probe_stages:hold', {}, kind='probe', reuse=False).id, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        job = attach(client.stdout.readline().strip())
        kill(client.pid)
    ready(job)
    assert job.state == "running"
    go(job)
    assert job.wait(20) == {"resumed": False}


def test_a_cancelled_job_that_was_waiting_never_begins(
    one_place: Workspace,
) -> None:
    job, waiting = _hold(), _hold()
    ready(job)
    assert waiting.state == "queued"
    waiting.cancel()
    assert waiting.state == "cancelled"
    go(job)
    job.wait(20)
    until(lambda: turns(waiting) == [("queued", 1), ("cancelled", 1)])
    assert waiting in jobs(one_place)


def test_two_clients_that_start_at_once_share_one_cluster(fresh_workspace: Workspace) -> None:
    program = (
        "from workbench.jobs import submit\n"
        "job = submit('probe_stages:echo', {}, kind='probe', reuse=False); job.wait(30)\n"
        "print(job.events().read()[0].data['cluster'])"
    )
    clients = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [client.communicate(timeout=30)[0] for client in clients]
    assert answers[0] == answers[1] != ""
    assert len(_cluster_processes(fresh_workspace)) == 1


def test_an_idle_cluster_ends_and_can_no_longer_be_found(
    fresh_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_IDLE_SECONDS", "0.4")
    job = _hold()
    child = ready(job)
    family = [psutil.Process(cluster_pid(fresh_workspace)), *child.parents()[:2]]
    go(job)
    job.wait(20)
    until(lambda: all(gone(process) for process in family))
    assert not (fresh_workspace.home / "cluster.json").exists()
    assert job.state == "done"


def test_a_stopped_cluster_leaves_no_process(one_place: Workspace) -> None:
    ensure_cluster(one_place)
    job = _hold()
    family = [ready(job), *psutil.Process(cluster_pid(one_place)).children(recursive=True)]
    assert stop_cluster(one_place)
    until(lambda: all(gone(process) for process in family), 5)
    assert job.state == "lost"
    assert not stop_cluster(one_place)


def test_a_workspace_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WorkspaceError, match="WORKBENCH_HOME"):
        submit("probe_stages:echo", {}, kind="probe", workspace=Workspace.at(tmp_path / "file"))


@pytest.fixture
def small_disk(fresh_workspace: Workspace) -> Iterator[Workspace]:
    """A workspace on a file system of two megabytes."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    fresh_workspace.home.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(fresh_workspace.home)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    yield fresh_workspace
    stop_cluster(fresh_workspace)
    subprocess.run(["umount", "-l", str(fresh_workspace.home)], check=True)


def test_a_full_disk_is_one_error_and_nothing_is_half_written(small_disk: Workspace) -> None:
    job = submit("probe_stages:fill_the_disk", {}, kind="probe")
    with pytest.raises(WorkspaceError, match="No space left"):
        job.wait(20)
    before = sorted(small_disk.runs.iterdir())
    with pytest.raises(WorkspaceError, match="No space left"):
        submit("probe_stages:echo", {"text": "x" * 5000}, kind="probe", reuse=False)
    assert sorted(small_disk.runs.iterdir()) == before
    (job.result / "big.bin").unlink()
    assert submit("probe_stages:echo", {}, kind="probe").wait(20)["echo"] == {}


def test_a_read_only_disk_is_one_error(small_disk: Workspace) -> None:
    home = str(small_disk.home)
    small_disk.ensure()
    subprocess.run(["mount", "-o", "remount,ro", home], check=True)
    with pytest.raises(WorkspaceError, match="Read-only file system"):
        submit("probe_stages:echo", {}, kind="probe")
    assert jobs(small_disk) == []


def _cluster_processes(workspace: Workspace) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if "workbench.jobs.daemon" in (process.info["cmdline"] or []) and str(workspace.home) in process.info["cmdline"]
    ]


@pytest.mark.parametrize("damage", [None, "{}", "[]", "{"])
def test_a_cluster_whose_file_is_gone_or_damaged_says_anew_who_it_is(one_place: Workspace, damage: str | None) -> None:
    go(job := _hold())
    job.wait(20)
    facts, before = one_place.home / "cluster.json", cluster_pid(one_place)
    if damage is None:
        facts.unlink()
    else:
        facts.write_text(damage)
    go(job := _hold())
    assert job.wait(20) == {"resumed": False}
    assert cluster_pid(one_place) == before


def test_a_foreign_scheduler_that_does_not_answer_is_named(
    one_place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address, sentence in (("tls://", "must be an address like"), ("tls://127.0.0.1:1", "must name a scheduler")):
        monkeypatch.setenv("WORKBENCH_SCHEDULER", address)
        with pytest.raises((BadInputError, WorkspaceError), match=f"WORKBENCH_SCHEDULER {sentence}"):
            _hold()
    assert not [job for job in jobs(one_place) if job.state == "queued"]


def test_a_cluster_whose_workspace_is_deleted_ends_and_does_not_bring_it_back(fresh_workspace: Workspace) -> None:
    ensure_cluster(fresh_workspace)
    go(job := _hold())
    job.wait(60)
    process = psutil.Process(cluster_pid(fresh_workspace))
    until(lambda: _deleted(fresh_workspace.home))
    until(lambda: gone(process))
    assert not fresh_workspace.home.exists()


def _deleted(folder: Path) -> bool:
    # A living cluster may write a file between two looks of the one who deletes.
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()
