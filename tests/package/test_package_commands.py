"""`workbench package` and `workbench verify`, as people and CI type them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from typer.testing import CliRunner

from workbench.cli.commands.package import app as package_app
from workbench.core.errors import BadInputError, GateFailedError
from workbench.core.records import LearningCurve, Proportion, RoadReport, Sizes, Variant
from workbench.package.verify import verify

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact
    from workbench.core.records import Evaluation, Verdict
    from workbench.core.workspace import Workspace


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workbench", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def call(app: object, *arguments: object) -> str:
    """What a command prints, in this process; its errors come through."""
    found = CliRunner().invoke(app, [str(each) for each in arguments], standalone_mode=False)  # type: ignore[arg-type]
    if found.exception is not None:
        raise found.exception
    return found.stdout


@pytest.fixture
def report(
    tiny: Artifact, saved: Artifact, passed: Verdict, failed: Verdict, evaluation: Evaluation, tmp_path: Path
) -> Path:
    """What `workbench run --json` prints, of two models that can be served and one that cannot."""

    def row(name: str, artifact: Artifact, format_: str, size: int, verdict: Verdict) -> Variant:
        share = Proportion(value=0.9, low=0.8, high=1, successes=9, total=10)
        return Variant(
            name=name, format=format_, numeric="float32", artifact=str(artifact.folder), sparsity=0, accuracy=share,
            drop=0, drop_low=0, drop_high=0, sizes=Sizes(raw=size, gzip=size), latency=None, parity=None,
            verdict=verdict,
        )  # fmt: skip

    rows = (
        row("trained", tiny, "tf_keras", 1, passed),
        row("pruned onnx", tiny, "onnx", 100, passed),
        row("pruned saved_model", saved, "saved_model", 900, failed),
    )
    made = RoadReport(
        run="run", dataset="digits", recipe="docs", attempts=1, curve=LearningCurve(label="", points=()),
        evaluation=evaluation, variants=rows, serving=(), verdict=passed, seconds=1, machine="",
    )  # fmt: skip
    path = tmp_path / "report.json"
    path.write_text(json.dumps({**made.to_json(), "report": "report.html"}))
    return path


def test_a_model_is_packed_and_verified(tiny: Artifact, tmp_path: Path) -> None:
    done = run("package", tiny.folder, "--name", "tiny", "-o", tmp_path / "dist", "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["path"] == str(tmp_path / "dist" / "tiny-1.tar.gz")
    checked = run("verify", made["path"], "--sha256", made["sha256"])
    assert checked.returncode == 0
    assert checked.stdout.splitlines()[0].startswith("tiny, version 1: 15 files")
    assert checked.stdout.endswith("Every file is as it was packed.\n")


def test_what_was_tampered_with_is_named_and_the_exit_code_is_1(unpacked: Path) -> None:
    (unpacked / "client.py").write_text("worse")
    done = run("verify", unpacked)
    assert done.returncode == 1
    assert "changed       client.py was changed: its sha256 must be" in done.stdout
    assert done.stdout.endswith("1 fault(s): do not use it.\n")
    said = json.loads(run("verify", unpacked, "--json").stdout)
    assert (said["passed"], said["faults"][0]["file"]) == (False, "client.py")


def test_what_is_no_package_is_bad_input(tmp_path: Path) -> None:
    done = run("verify", tmp_path)
    assert done.returncode == 2
    assert "package must be an archive" in done.stderr
    with pytest.raises(BadInputError, match="package must be the path of an archive or folder, got None"):
        verify(None)  # type: ignore[arg-type]


def test_a_key_that_is_not_there_is_bad_input_and_no_fault_of_the_package(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="key must be the file of a public key"):
        verify(archive, key=tmp_path / "nothing.pem")


def test_a_report_tells_models_and_verdicts(report: Path, tmp_path: Path) -> None:
    first = call(package_app, "pruned onnx", "--report", report, "-o", tmp_path / "a", "--name", "tiny")
    assert first.startswith(str(tmp_path / "a" / "tiny-1.tar.gz"))
    call(package_app, "smallest", "--report", report, "-o", tmp_path / "b" / "x.tar.gz", "--name", "tiny")
    assert (tmp_path / "a" / "tiny-1.tar.gz").read_bytes() == (tmp_path / "b" / "x.tar.gz").read_bytes()
    with pytest.raises(GateFailedError, match="The gate refused this model"):
        call(package_app, "pruned saved_model", "--report", report, "-o", tmp_path)
    with pytest.raises(BadInputError, match="model must be `smallest` or one of 'pruned onnx', 'pruned saved_model'"):
        call(package_app, "trained", "--report", report, "-o", tmp_path)


def test_a_refused_model_is_packed_where_somebody_answers_for_it(report: Path, tmp_path: Path) -> None:
    said = ["--override-by", "Ada", "--override-why", "for the lesson"]
    call(package_app, "pruned saved_model", "--report", report, "-o", tmp_path, *said)
    assert (tmp_path / "model-1.tar.gz").is_file()
    with pytest.raises(BadInputError, match="override must say who"):
        call(package_app, "pruned saved_model", "--report", report, "-o", tmp_path, *said[:2])


def test_a_verdict_and_an_evaluation_of_ones_own(
    tiny: Artifact, failed: Verdict, evaluation: Evaluation, tmp_path: Path
) -> None:
    for name, record in (("verdict", failed), ("evaluation", evaluation)):
        (tmp_path / f"{name}.json").write_text(json.dumps(record.to_json()))
    given = ["--evaluation", tmp_path / "evaluation.json", "-o", tmp_path]
    assert "sha256" in call(package_app, tiny.folder, *given)
    with pytest.raises(GateFailedError):
        call(package_app, tiny.folder, "--verdict", tmp_path / "verdict.json", *given)


def test_what_is_no_report_is_bad_input(tiny: Artifact, tmp_path: Path) -> None:
    for content in ("[]", '{"run": 1}', "road: yes"):
        (tmp_path / "report.json").write_text(content)
        with pytest.raises(BadInputError, match="report must be what `workbench run --json` printed"):
            call(package_app, tiny.folder, "--report", tmp_path / "report.json")


def test_the_smallest_is_one_of_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInputError, match="model must be an artifact folder where no --report is given"):
        call(package_app, "smallest")


@pytest.mark.thorough
def test_the_steps_of_the_workflow_are_what_our_commands_take(
    archive: Path, tmp_path: Path, workspace: Workspace
) -> None:
    """`train-gate` of the packed workflow, but for the installation, as GitHub's shell runs it."""
    subprocess.run(["tar", "xzf", archive, "-C", tmp_path, "--strip-components=2", "tiny-1/ci"], check=True)
    settings = (tmp_path / "run.yaml").read_text()
    (tmp_path / "run.yaml").write_text(settings.replace("max_bytes: 100000", "max_drop: 0.05"))
    job = yaml.safe_load((tmp_path / "train-gate-publish.yaml").read_text())["jobs"]["train-gate"]
    texts = [step["run"] for step in sorted(job["steps"], key=lambda step: "if" in step) if "run" in step]
    steps = [text.replace("${{ github.run_number }}", "7") for text in texts if "pip install" not in text]
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": programs, "WORKBENCH_HOME": str(workspace.home)}
    said = []
    for step in steps:
        done = subprocess.run(
            ["bash", "-e", "-c", step], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (step, done.stderr)
        said.append(done.stdout)
    assert said[-2].endswith("Every file is as it was packed.\n")
    assert "Accuracy" in said[-1]  # what is said where a gate fails
    made = verify(tmp_path / "dist" / "tiny-7.tar.gz")
    assert (made.name, made.version, made.passed) == ("tiny", 7, True)
