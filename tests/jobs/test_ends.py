"""How jobs end that do not end well, on a cluster in good health."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from probing import go, gone, ready, turns, until

from workbench.core.errors import BadInputError, JobCancelledError, JobFailedError, JobPausedError
from workbench.jobs import submit
from workbench.jobs.execute import execute

if TYPE_CHECKING:
    from workbench.jobs import Job

pytestmark = pytest.mark.usefixtures("workspace")


def _failing(how: str) -> Job:
    return submit("probe_stages:fail", {"how": how}, kind="probe", reuse=False)


def test_an_error_meant_for_people_crosses_as_it_was() -> None:
    with pytest.raises(BadInputError, match=r"^epochs must be below 100, got 200; choose fewer\.$"):
        _failing("bad input").wait(60)


@pytest.mark.parametrize(
    ("how", "message", "logged"),
    [
        ("by zero", "ZeroDivisionError: division by zero", "return 1 / 0"),
        ("no json", "TypeError: Object of type object is not JSON", "Traceback"),
        ("exit", "SystemExit: enough", "Traceback"),
        ("segfault", "was killed by SIGSEGV", "before the end"),
    ],
)
def test_any_other_end_is_one_sentence_that_names_the_log(how: str, message: str, logged: str) -> None:
    job = _failing(how)
    with pytest.raises(JobFailedError) as caught:
        job.wait(60)
    assert message in str(caught.value)
    assert str(job.log) in str(caught.value)
    assert logged in job.log.read_text()
    assert job.state == "failed"
    assert not (job.result / "value.json").exists()


def test_a_stage_that_does_not_exist_is_named() -> None:
    with pytest.raises(JobFailedError, match="no_such_module"):
        submit("no_such_module:run", {}, kind="probe").wait(60)


def test_a_running_job_is_cancelled_within_two_seconds_and_can_go_on() -> None:
    job = submit("probe_stages:hold", {}, kind="probe", reuse=False)
    child = ready(job)
    job.cancel()
    with pytest.raises(JobCancelledError, match=job.id):
        job.wait(10)
    until(lambda: gone(child))
    job.cancel()  # a second time changes nothing
    job.resume()
    ready(job, times=2)
    go(job)
    assert job.wait(60) == {"resumed": True}
    assert turns(job) == [
        ("queued", 1), ("running", 1), ("cancelled", 1), ("queued", 2), ("running", 2), ("done", 2),
    ]  # fmt: skip


def test_what_waits_is_paused_before_it_begins() -> None:
    busy = [submit("probe_stages:hold", {}, kind="probe", reuse=False) for _ in range(os.cpu_count() or 1)]
    for job in busy:
        ready(job)
    waiting = submit("probe_stages:hold", {}, kind="probe", reuse=False)
    waiting.pause()
    for job in busy:
        go(job)
    with pytest.raises(JobPausedError, match=waiting.id):
        waiting.wait(60)
    go(waiting.resume())
    assert waiting.wait(60) == {"resumed": False}
    assert turns(waiting) == [("queued", 1), ("paused", 1), ("queued", 2), ("running", 2), ("done", 2)]


def test_only_what_ended_badly_is_resumed() -> None:
    job = submit("probe_stages:hold", {}, kind="probe", reuse=False)
    with pytest.raises(BadInputError, match="must have ended"):
        job.value()
    ready(job)
    with pytest.raises(BadInputError, match="running"):
        job.resume()
    go(job)
    job.wait(60)
    with pytest.raises(BadInputError, match="done"):
        job.resume()


def test_waiting_has_an_end() -> None:
    job = submit("probe_stages:hold", {}, kind="probe", reuse=False)
    with pytest.raises(TimeoutError, match=job.id):
        job.wait(0.1)
    job.cancel()
    until(lambda: job.state == "cancelled")


@pytest.mark.parametrize(
    ("stage", "limits", "message"),
    [("hold", {"seconds": 0.2}, "longer than"), ("grow", {"memory_bytes": 100_000_000}, "more memory")],
)
def test_a_job_that_passes_its_limit_is_ended(stage: str, limits: dict[str, float], message: str) -> None:
    job = submit(f"probe_stages:{stage}", {}, kind="probe", reuse=False, limits=limits)
    with pytest.raises(JobFailedError, match=message):
        job.wait(60)


def test_an_attempt_that_has_begun_is_never_begun_again() -> None:
    job = submit("probe_stages:echo", {"once": True}, kind="probe")
    job.wait(60)
    until(lambda: len(turns(job)) == 3)
    execute(str(job.folder), 1)
    assert turns(job) == [("queued", 1), ("running", 1), ("done", 1)]


def test_what_a_stage_leaves_in_its_temporary_folder_goes_with_it() -> None:
    value = submit("probe_stages:litter", {}, kind="probe", reuse=False).wait(60)
    assert value["path"].startswith(value["run"])
    assert not Path(value["path"]).exists()
