"""The state is read from files alone; here they are written by hand, without any cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workbench.core.events import EventWriter
from workbench.core.workspace import Workspace
from workbench.jobs import lock
from workbench.jobs.state import standing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return Workspace.at(tmp_path).new_run("probe")


@pytest.fixture
def events(run: Path) -> Iterator[EventWriter]:
    writer = EventWriter(run)
    yield writer
    writer.close()


def test_without_events_the_lease_tells_a_beginning_from_a_wreck(run: Path) -> None:
    assert standing(run).state == "lost"
    lease = lock.acquire(run / "lease")
    assert lease is not None
    assert standing(run).state == "queued"
    lock.release(lease)
    assert standing(run).state == "lost"


def test_a_running_job_holds_its_lease_however_much_it_says(run: Path, events: EventWriter) -> None:
    lease = lock.acquire(run / "lease")
    assert lease is not None
    events.emit("state", state="running", attempt=3)
    for batch in range(3000):
        events.emit("batch", epoch=1, batch=batch, loss=0.5)
    assert (standing(run).state, standing(run).attempt) == ("running", 3)
    lock.release(lease)
    assert (standing(run).state, standing(run).attempt) == ("lost", 3)
    (run / "cancel").touch()
    assert standing(run).state == "cancelled"


def test_a_job_waits_only_as_long_as_the_cluster_that_took_it_lives(run: Path, events: EventWriter) -> None:
    lock.release(lock.acquire(run / "lease") or 0)
    events.emit("state", state="queued", attempt=1, cluster="tls://elsewhere:8786")
    assert standing(run).state == "queued"
    events.emit("state", state="queued", attempt=2, cluster="one of ours, long gone")
    assert standing(run).state == "lost"


def test_the_last_word_counts(run: Path, events: EventWriter) -> None:
    events.emit("state", state="running", attempt=1)
    events.emit("state", state="failed", attempt=1, error={"type": "BadInputError", "message": "no"})
    assert standing(run).error == {"type": "BadInputError", "message": "no"}
    events.emit("state", state="done", attempt=2)
    assert standing(run).state == "done"
