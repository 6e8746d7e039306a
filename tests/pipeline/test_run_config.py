"""`workbench run --config`: flags, exit codes, the store, and the same bytes twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from workbench.core.artifact import Artifact
from workbench.core.records import RoadReport, Variant, Verdict
from workbench.core.workspace import Workspace
from workbench.jobs import stop_cluster
from workbench.pipeline.publishing import PublishSettings, chosen, publish, publish_passed
from workbench.serve.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.pipeline.publishing import Wanted

CONFIG = """\
road: {dataset: digits, architecture: mlp, epochs: 2, sparsity: 0.5, requests: 5}
gate: {min_accuracy: 0.5, max_drop: 0.5}
publish: {name: digits, model: onnx/float32, labels: [canary], by: ci}
"""
# What a clock has measured, or when and where it was.
TIMES = {"seconds", "latency", "p50_ms", "p95_ms", "p99_ms", "uptime_s", "run", "artifact", "report", "machine"}


def run(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workbench", "run", *arguments], capture_output=True, text=True, check=False,
        env={**os.environ, "WORKBENCH_HOME": str(home)},
    )  # fmt: skip


def test_the_schema_and_the_whole_configuration_are_printed(tmp_path: Path) -> None:
    schema = run("--print-schema", home=tmp_path)
    assert json.loads(schema.stdout)["title"] == "run.yaml"
    file = tmp_path / "run.yaml"
    file.write_text(CONFIG, encoding="utf-8")
    whole = run("--config", str(file), "--seed", "7", "--publish-label", "stable", "--print-config", home=tmp_path)
    assert {"  seed: 7", "  epochs: 2", "  name: digits", "  - stable"} <= set(whole.stdout.splitlines())
    assert "canary" not in whole.stdout
    assert not list(tmp_path.glob("runs/*"))


def test_a_bad_file_ends_with_2_and_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("road: {epocs: 2}\n", encoding="utf-8")
    done = run("--config", str(file), home=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("workbench: run.yaml, line 1: road.epocs is not a setting of a run; did you mean")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("wanted", "name"), [("smallest", "int8"), ("onnx/float32", "pruned onnx"), ("saved_model/float32", "saved")]
)  # fmt: skip
def test_the_smallest_or_the_last_of_its_kind_is_published(tmp_path: Path, wanted: Wanted, name: str) -> None:
    made = [
        (artifact(tmp_path, format_, numeric), Variant.model_construct(name=called, sizes=sizes(gzip)))
        for called, format_, numeric, gzip in (
            ("trained", "tf_keras", "float32", 1), ("trained onnx", "onnx", "float32", 50),
            ("saved", "saved_model", "float32", 3), ("pruned onnx", "onnx", "float32", 60),
            ("int8", "tflite", "int8", 20),
        )
    ]  # fmt: skip
    assert chosen(wanted, made)[1].name == name


def artifact(folder: Path, format_: Any, numeric: Any) -> Artifact:
    return Artifact(folder=folder, name="m", format=format_, numeric=numeric, file="m", sha256="0" * 64)


def sizes(gzip: int) -> Any:
    from workbench.core.records import Sizes

    return Sizes(raw=gzip, gzip=gzip)


def test_what_passed_is_published_with_its_label(converted: dict[str, Artifact], tmp_path: Path) -> None:
    place = Workspace.at(tmp_path)
    settings = PublishSettings(name="digits", labels=("canary", "stable"), by="ci")
    done = publish(converted["onnx/float32"], settings, Verdict(passed=True, lines=()), place, why="run x")
    assert (done.version, done.sha256) == (1, converted["onnx/float32"].sha256)
    assert Store.of(place).labels("digits") == {"canary": 1, "stable": 1}
    first = Store.of(place).history("digits")[0]
    assert (first.gate, first.who, first.why) == ("passed", "ci", "run x")


def test_what_does_not_load_is_a_rule_that_failed_and_gets_no_label(tmp_path: Path) -> None:
    place = Workspace.at(tmp_path / "home")
    folder = place.new_run("convert") / "result"
    (folder / "model.onnx").write_bytes(b"no graph")
    broken = Artifact.write(folder, file="model.onnx", name="m", format="onnx", numeric="float32")
    settings = PublishSettings(name="digits", labels=("canary",))
    done, said = publish_passed(broken, settings, Verdict(passed=True, lines=()), place)
    assert done is None
    assert not said.passed
    assert "version 1 of digits must load and answer before a label moves to it" in said.reasons
    assert Store.of(place).labels("digits") == {}


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Workspace, dict[str, Any]]]:
    """The same file in two workspaces that know nothing of each other."""
    found = []
    for number in (1, 2):
        place = Workspace.at(tmp_path_factory.mktemp(f"run{number}") / "home")
        file = place.home.parent / "run.yaml"
        file.write_text(CONFIG, encoding="utf-8")
        done = run("--config", str(file), "--json", home=place.home)
        stop_cluster(place)
        assert done.returncode == 0, done.stderr
        found.append((place, json.loads(done.stdout)))
    return found


@pytest.mark.thorough
def test_the_same_file_gives_the_same_models_and_the_same_report(twice: list[tuple[Workspace, dict[str, Any]]]) -> None:
    (_, first), (_, second) = twice
    hashes = [[Artifact.load(row["artifact"]).sha256 for row in report["variants"]] for report in (first, second)]
    assert hashes[0] == hashes[1]
    assert len(set(hashes[0])) == 7
    assert lasting(first) == lasting(second)


@pytest.mark.thorough
def test_a_run_publishes_what_its_file_asks_for(twice: list[tuple[Workspace, dict[str, Any]]]) -> None:
    place, said = twice[0]
    report = RoadReport.from_json({name: value for name, value in said.items() if name != "report"})
    assert report.published is not None
    store = Store.of(place)
    assert store.labels("digits") == {"canary": report.published.version}
    assert Artifact.load(store.versions("digits")[1]).sha256 == report.published.sha256
    assert store.history("digits")[0].gate == "passed"


def lasting(value: Any) -> Any:
    """What of a report does not depend on the hour and the machine's mood."""
    if isinstance(value, dict):
        return {key: lasting(each) for key, each in value.items() if key not in TIMES}
    return [lasting(each) for each in value] if isinstance(value, list) else value
