"""What tests of all areas share."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

import workbench.convert
from workbench.core.artifact import Artifact
from workbench.core.workspace import Workspace
from workbench.datasets import load_dataset
from workbench.jobs import ensure_cluster, stop_cluster, submit
from workbench.train.fit import STAGE, train_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.core.artifact import Format, Numeric
    from workbench.datasets import Dataset
    from workbench.jobs import Job

# A busy machine is no fault of an example. The examples are the same in every run: what fails, fails for the one who
# changed something. `WORKBENCH_EXPLORE=1` looks for new ones.
hypothesis.settings.register_profile("busy", deadline=None, derandomize="WORKBENCH_EXPLORE" not in os.environ)
hypothesis.settings.load_profile("busy")

ROADS = ("whole_road", "refused_road")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests that need no cluster come first: beside them it warms up, trains, and goes the roads, which follow.

    In several processes (`-n 2`) one takes all tests of the shared workspace, the others the rest meanwhile.
    """
    items.sort(key=lambda item: ("workspace" in _fixtures(item), _fixtures(item).isdisjoint(ROADS)))
    parallel = "PYTEST_XDIST_WORKER" in os.environ
    for item in items:
        shares = "workspace" in _fixtures(item)
        if shares:
            item.add_marker(pytest.mark.xdist_group("workspace"))
        if (shares or not parallel) and "begun" not in _fixtures(item):
            item.fixturenames.insert(0, "begun")  # type: ignore[attr-defined] - all that are collected are functions


@pytest.fixture(scope="session")
def begun(request: pytest.FixtureRequest, stages_of_tests: None, interrupts_arrive: None) -> None:  # noqa: ARG001
    """Begin what the last tests would else wait for: the cluster and its longest jobs, as far as tests want them."""
    wanted = {name for item in request.session.items for name in _fixtures(item)}
    for name in ("workspace", *ROADS, "training"):
        if name in wanted:
            request.getfixturevalue(name)


def _fixtures(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))


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
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # `nohup`; a handler, unlike this, is not handed on
        signal.signal(signal.SIGHUP, lambda *_: None)


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
def whole_road(workspace: Workspace) -> Iterator[subprocess.Popen[str]]:
    """`workbench run` on digits; its training is that of `trained`, and README's."""
    yield from _road("--json", home=workspace.home)


@pytest.fixture(scope="session")
def refused_road(workspace: Workspace) -> Iterator[subprocess.Popen[str]]:
    """`workbench run` on digits with a gate that no network passes, tried twice."""
    yield from _road(
        "--architecture", "mlp", "--epochs", "1", "--attempts", "2", "--min-accuracy", "1", home=workspace.home
    )


def _road(*flags: str, home: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "workbench", "run", "--dataset", "digits", *flags],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "WORKBENCH_HOME": str(home)},
    ) as process:  # fmt: skip
        yield process
        process.kill()


@pytest.fixture(scope="session")
def training(digits: Dataset, workspace: Workspace) -> Job:
    """The training of `trained`."""
    return submit(STAGE, train_settings(digits, "docs"), kind="train", workspace=workspace)


@pytest.fixture(scope="session")
def trained(training: Job) -> Artifact:
    """The docs' CNN, trained on digits as the docs do: 93 % of its answers are right."""
    training.wait()
    return Artifact.load(training.result)


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
