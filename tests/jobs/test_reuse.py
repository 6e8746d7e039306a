from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from probing import go, ready

from workbench.core.errors import JobFailedError
from workbench.jobs import submit

pytestmark = pytest.mark.usefixtures("workspace")


def test_the_same_question_is_answered_by_the_same_job() -> None:
    job = submit("probe_stages:echo", {"asked": "twice", "n": 1}, kind="probe")
    job.wait(60)
    assert submit("probe_stages:echo", {"n": 1, "asked": "twice"}, kind="probe") == job
    assert submit("probe_stages:echo", {"asked": "twice", "n": 2}, kind="probe") != job
    assert submit("probe_stages:echo", {"asked": "twice", "n": 1}, kind="probe", reuse=False) != job


def test_two_who_ask_at_once_share_one_job() -> None:
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(submit, "probe_stages:hold", {"shared": 1}, kind="probe") for _ in range(4)]
        found = {future.result() for future in asked}
    assert len(found) == 1
    job = found.pop()
    ready(job)
    go(job)
    assert job.wait(60) == {"resumed": False}


def test_a_failure_is_no_answer() -> None:
    jobs = []
    for _ in range(2):
        jobs.append(submit("probe_stages:fail", {"how": "again"}, kind="probe"))
        with pytest.raises(JobFailedError):
            jobs[-1].wait(60)
    assert jobs[0] != jobs[1]


@pytest.mark.parametrize("damaged", ["value.json", "model.onnx"])
def test_a_damaged_result_is_made_again(damaged: str) -> None:
    settings = {"damaged": damaged}
    job = submit("probe_stages:make_a_model", settings, kind="probe")
    job.wait(60)
    assert submit("probe_stages:make_a_model", settings, kind="probe") == job
    (job.result / damaged).write_bytes(b"weig")
    assert submit("probe_stages:make_a_model", settings, kind="probe") != job
