from __future__ import annotations

import pytest

from workbench.jobs import attach, jobs, submit


@pytest.mark.usefixtures("workspace")
def test_a_job_runs_with_tensorflow_at_hand_and_is_found_again() -> None:
    job = submit("probe_stages:echo", {"a": [1, "é"]}, kind="probe")
    value = job.wait(60)
    assert value == {"echo": {"a": [1, "é"]}, "resumed": False, "tensorflow": True}
    assert attach(job.id).value() == value
    assert job.id in [found.id for found in jobs(kind="probe")]
    assert [event.data["state"] for event in job.events().read()] == ["queued", "running", "done"]
