"""A worker and the process that drives a sweep are killed; any process goes on with it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from probing import cluster_pid, kill, until

import workbench.train
from workbench.core.workspace import Workspace
from workbench.jobs import jobs, stop_cluster
from workbench.sweep.run import attach_sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.sweep.handle import Sweep

pytestmark = pytest.mark.faults

POINTS = 24
_SECONDS = 240.0
PROGRAM = """
import sys
import workbench.sweep
from workbench.compress.magnitude_pruning import MagnitudePruning
from workbench.compress.post_training import PostTrainingQuantization
from workbench.core.artifact import Artifact
from workbench.sweep.space import Space

space = Space(
    (MagnitudePruning(epochs=1, min_steps=0), PostTrainingQuantization()),
    {
        "magnitude_pruning.sparsity": [0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
        "post_training.numeric": ["float32", "float16", "dynamic", "int8"],
    },
)
workbench.sweep(space, Artifact.load(sys.argv[1]), "digits", name="killed", runs=20)
"""


@pytest.fixture
def home(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    found = Workspace.at(tmp_path / "home")
    monkeypatch.setenv("WORKBENCH_HOME", str(found.home))
    yield found
    stop_cluster(found)


def worker_of(home: Workspace) -> psutil.Process:
    """Return the Dask worker: what the cluster's process started."""
    cluster = psutil.Process(cluster_pid(home))
    return next(child for child in cluster.children() if "spawn_main" in " ".join(child.cmdline()))


def swept(home: Workspace) -> Sweep | None:
    return attach_sweep("killed", home) if (home.sweeps / "killed" / "space.json").exists() else None


def count(home: Workspace) -> int:
    sweep = swept(home)
    return len(sweep.points()) if sweep is not None else 0


def test_a_sweep_survives_kill_9_of_worker_and_client(home: Workspace) -> None:
    parent = workbench.train("digits", architecture="mlp", epochs=2, workspace=home)
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(parent.folder)]) as client:
        until(lambda: count(home) >= 3, _SECONDS)
        # The worker goes first: the sweep goes on by itself, with the jobs that were lost.
        kill(worker_of(home))
        before = count(home)
        until(lambda: count(home) >= before + 3, _SECONDS)
        client.kill()
        kill(worker_of(home))
    sweep = attach_sweep("killed", home)
    until(lambda: sweep.state == "lost")
    finished = {point.key: point for point in sweep.points()}
    assert 6 <= len(finished) < POINTS
    made = {folder for point in finished.values() for folder in point.made}

    sweep.resume()

    assert sweep.state == "done"
    points = sweep.points()
    assert len(points) == POINTS
    assert [point.reason for point in sweep.failed()] == []
    assert all(point.state == "done" for point in points)
    for point in points:
        if point.key in finished:
            assert point.made == finished[point.key].made
    # What a finished point was made of was asked once, before and after.
    asked = [json.dumps(job.settings, sort_keys=True) for job in jobs(home) if str(job.result) in made]
    every = [json.dumps(job.settings, sort_keys=True) for job in jobs(home)]
    assert all(every.count(question) == 1 for question in asked)
