"""What tests of all areas share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from workbench.core.workspace import Workspace
from workbench.jobs import ensure_cluster, stop_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session", autouse=True)
def stages_of_tests() -> Iterator[None]:
    """Let the clusters that tests start find `tests/jobs/probe_stages.py`."""
    stages = str(Path(__file__).parent / "jobs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", stages, prepend=os.pathsep)
        yield


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace for the whole session, the default one meanwhile, whose cluster warms up from the first test on.

    Tests share its cluster and its cache: use settings of your own where a result must not be reused.
    """
    shared = Workspace.at(tmp_path_factory.mktemp("workspace") / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(shared.home))
        ensure_cluster(shared)
        yield shared
        stop_cluster(shared)


@pytest.fixture
def fresh_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace of one test, the default one meanwhile; a cluster that the test starts in it preloads nothing."""
    fresh = Workspace.at(tmp_path / "home")
    monkeypatch.setenv("WORKBENCH_HOME", str(fresh.home))
    monkeypatch.setenv("WORKBENCH_PRELOAD", "")
    yield fresh
    stop_cluster(fresh)
