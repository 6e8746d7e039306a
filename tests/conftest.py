"""What tests of all areas share."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import workbench.convert
import workbench.train
from workbench.core.workspace import Workspace
from workbench.datasets import load_dataset
from workbench.jobs import ensure_cluster, stop_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.core.artifact import Artifact, Format, Numeric
    from workbench.datasets import Dataset


@pytest.fixture(scope="session", autouse=True)
def stages_of_tests() -> Iterator[None]:
    """Let the clusters that tests start find `tests/jobs/probe_stages.py`."""
    stages = str(Path(__file__).parent / "jobs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", stages, prepend=os.pathsep)
        yield


@pytest.fixture(scope="session", autouse=True)
def interrupts_arrive() -> None:
    """Let programs that tests start be interrupted: what a script starts in the background ignores Ctrl-C for good."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture(scope="session")
def digits(workspace: Workspace) -> Dataset:
    """The digits, prepared once."""
    return load_dataset("digits", workspace=workspace)


@pytest.fixture(scope="session")
def trained(digits: Dataset, workspace: Workspace) -> Artifact:
    """The docs' CNN after enough epochs on digits that its answers are no accident."""
    return workbench.train(digits, "docs", epochs=8, workspace=workspace)


@pytest.fixture(scope="session")
def converted(trained: Artifact, digits: Dataset, workspace: Workspace) -> dict[str, Artifact]:
    """The trained model in every format, by label such as `tflite/int8`."""
    wanted: list[tuple[Format, Numeric]] = [
        ("saved_model", "float32"), ("onnx", "float32"), ("tflite", "float32"), ("tflite", "int8"),
    ]  # fmt: skip

    def make(row: tuple[Format, Numeric]) -> Artifact:
        return workbench.convert(trained, row[0], numeric=row[1], dataset=digits, workspace=workspace)

    with ThreadPoolExecutor(len(wanted)) as threads:
        return {artifact.label: artifact for artifact in threads.map(make, wanted)}
