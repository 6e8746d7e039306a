"""Small models, their packages, and what a gate said of them; no framework is needed to pack one."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.tiny_model import write_tiny
from workbench.core.artifact import Artifact
from workbench.core.records import ClassScore, Evaluation, GateLine, Proportion, Verdict
from workbench.package.bundle import package

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """An ONNX model: `image` (n, 2, 2, 1) float32 -> `probabilities` (n, 4), the softmax of the pixels."""
    folder = tmp_path_factory.mktemp("tiny")
    write_tiny(folder)
    return Artifact.write(
        folder, file="model.onnx", name="tiny", format="onnx", numeric="float32", seed=7,
        settings={"path": "/home/somebody/secret/model.keras", "sparsity": 0.8, "made": ["~/other/place.onnx"]},
    )  # fmt: skip


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """A SavedModel as far as packing looks at one: a directory of files."""
    folder = tmp_path_factory.mktemp("saved")
    for name, content in {
        "saved_model.pb": b"a graph",
        "variables/variables.index": b"index",
        "variables/variables.data-00000-of-00001": bytes(5000),
        "variables.txt": b"beside a folder whose name begins alike",
        f"assets/{'long-' * 30}name.txt": "Namen länger als ein Kopf".encode(),
    }.items():
        path = folder / "saved_model" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return Artifact.write(folder, file="saved_model", name="saved", format="saved_model", numeric="float32")


@pytest.fixture(scope="session")
def passed() -> Verdict:
    return _verdict(passed=True)


@pytest.fixture(scope="session")
def failed() -> Verdict:
    return _verdict(passed=False)


def _verdict(*, passed: bool) -> Verdict:
    reason = "Accuracy on digits (test) is at least 90.00 %: 93.00 %." if passed else "Accuracy is too low."
    line = GateLine(rule="min_accuracy", limit=0.9, value=0.93 if passed else 0.5, passed=passed, reason=reason)
    size = GateLine(rule="max_bytes", limit=100_000.0, value=141, passed=True, reason="File size is small enough.")
    return Verdict(passed=passed, lines=(line, size))


@pytest.fixture(scope="session")
def evaluation(tiny: Artifact) -> Evaluation:
    return Evaluation(
        model=tiny.sha256, dataset="digits", checksum="c" * 64, split="test",
        accuracy=Proportion(value=0.93, low=0.9, high=0.95, successes=93, total=100), log_loss=0.2,
        calibration_error=0.02, classes=(ClassScore(label="a|b", precision=1, recall=0.5, f1=0.67, support=100),),
        confusion=((100,),), calibration=(), correct="1" * 93 + "0" * 7,
    )  # fmt: skip


@pytest.fixture(scope="session")
def archive(tiny: Artifact, passed: Verdict, evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`tiny`, packed; nobody may write into it."""
    made = package(tiny, tmp_path_factory.mktemp("packed"), name="tiny", verdict=passed, evaluation=evaluation)
    made.chmod(0o444)
    return made


@pytest.fixture
def unpacked(archive: Path, tmp_path: Path) -> Path:
    """The archive's folder, for this test alone."""
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    return tmp_path / "tiny-1"
