import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench import cli
from workbench.core.workspace import Workspace
from workbench.jobs import jobs, submit


def workbench(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workbench", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "WORKBENCH_HOME": str(home), **environment},
    )


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Return the first true value of a condition, or fail after a while."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return value


def test_the_whole_road(whole_road: subprocess.Popen[str], workspace: Workspace) -> None:
    said, complaints = whole_road.communicate()
    assert whole_road.returncode == 0, complaints
    report = json.loads(said)
    assert [v["name"] for v in report["variants"]] == [
        "trained",
        "pruned",
        "trained tflite float32",
        "pruned tflite float32",
        "pruned saved_model",
        "pruned onnx float32",
        "pruned tflite int8",
    ]
    trained, pruned, *_, int8 = report["variants"]
    assert trained["sparsity"] < 0.01
    assert pruned["sparsity"] == pytest.approx(0.8, abs=0.01)
    assert int8["sizes"]["gzip"] < trained["sizes"]["gzip"] / 5
    assert all(v["parity"]["passed"] for v in report["variants"] if v["parity"])
    assert {s["model"]: (s["requests"], s["errors"]) for s in report["serving"]}["pruned_tflite_int8"] == (200, 0)
    run = workspace.run(report["run"])
    assert (run / "result" / "report.html").stat().st_size > 1_000_000
    assert json.loads((run / "job.json").read_text())["settings"]["road"]["dataset"] == "digits"


def test_a_failed_gate_goes_back_to_training_and_then_stops(refused_road: subprocess.Popen[str]) -> None:
    said, told = refused_road.communicate()
    assert refused_road.returncode == 1, told
    assert "Back to training with recipe docs, 2 epochs." in " ".join(told.split())
    assert "gate failed" in said
    assert "Accuracy on digits (test) must be at least 100.00 %" in said


def test_an_interrupt_ends_the_training_too(workspace: Workspace) -> None:
    before = {job.id for job in jobs(workspace, "train")}
    command = [sys.executable, "-m", "workbench", "run", "--dataset", "digits", "--epochs", "499"]
    road = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        training = until(lambda: [j for j in jobs(workspace, "train") if j.id not in before and j.state == "running"])
        road.send_signal(signal.SIGINT)
        _, said = road.communicate(timeout=30)
    finally:
        road.kill()
    assert road.returncode == 130
    assert said.splitlines()[-1].startswith("workbench: interrupted")
    assert until(lambda: training[0].state == "cancelled")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--sparsity", "1.0"), "workbench: sparsity must be below 1, got 1.0"),
        (("--attempts", "0"), "workbench: attempts must be at least 1, got 0"),
        (("--dataset", "nothing"), "workbench: dataset must be one of breast_cancer, digits"),
        (("--dataset", "digits", "--recipe", "worst"), "workbench: recipe must be one of best, docs, got 'worst'."),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    workspace: Workspace, arguments: tuple[str, ...], sentence: str
) -> None:
    done = workbench("run", *arguments, home=workspace.home)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(sentence)
    assert "Traceback" not in done.stderr


def test_a_home_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = workbench("run", home=tmp_path / "file")
    assert done.returncode == 2
    assert done.stderr.startswith("workbench: ")
    assert "cannot be written" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_runs_are_listed_cancelled_and_resumed_by_name(workspace: Workspace) -> None:
    job = submit("probe_stages:hold", {}, kind="probe", workspace=workspace, reuse=False)
    until(lambda: job.state == "running")
    assert f"running   {job.id}" in workbench("runs", "--kind", "probe", home=workspace.home).stdout
    assert job.id not in workbench("runs", "--limit", "1000", home=workspace.home).stdout
    assert "is asked to pause after its epoch" in workbench("pause", job.id, home=workspace.home).stdout
    assert workbench("cancel", job.id, home=workspace.home).returncode == 0
    until(lambda: job.state == "cancelled")
    (job.folder / "go").touch()
    done = workbench("resume", job.id, home=workspace.home)
    assert (done.returncode, job.state) == (0, "done"), done.stderr
    refused = workbench("resume", "nothing", home=workspace.home)
    assert refused.returncode == 2
    assert "run must name a folder" in refused.stderr


def test_an_unknown_flag_is_a_usage_error(tmp_path: Path) -> None:
    done = workbench("run", "--nope", home=tmp_path)
    assert done.returncode == 2
    assert "No such option" in done.stderr


def test_the_traceback_is_in_the_run_folder(workspace: Workspace) -> None:
    before = set(workspace.list_runs("road"))
    workbench("run", "--dataset", "nothing", home=workspace.home)
    (run,) = set(workspace.list_runs("road")) - before
    assert "Traceback" in (run / "stderr.log").read_text()


def test_every_setting_is_a_flag_with_its_description(tmp_path: Path) -> None:
    shown = " ".join(workbench("run", "--help", home=tmp_path, COLUMNS="200").stdout.split())
    for words in ("--sparsity", "Share of weights that pruning sets to zero", "--min-accuracy", "--max-p95-ms"):
        assert words in shown


def test_a_command_is_a_file_and_only_the_one_that_is_called_is_imported(tmp_path: Path) -> None:
    files = {file.stem for file in (Path(cli.__file__).parent / "commands").glob("*.py")} - {"__init__"}
    shown = workbench("--help", home=tmp_path, COLUMNS="200").stdout.partition("Commands")[2]
    assert {line.split()[1] for line in shown.splitlines() if len(line.split()) > 2} == files
    code = (
        "import sys; from workbench.cli import app; app(['runs'], standalone_mode=False)\n"
        "sys.exit(str([name for name in sys.modules if 'cli.commands.' in name]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "WORKBENCH_HOME": str(tmp_path)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.stderr.strip() == "['workbench.cli.commands.runs']"


def test_a_word_that_is_no_command_is_answered_by_the_nearest(tmp_path: Path) -> None:
    done = workbench("swep", home=tmp_path)
    assert (done.returncode, "Did you mean 'sweep'?" in done.stderr) == (2, True)
