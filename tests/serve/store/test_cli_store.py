"""`workbench store`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from workbench import cli
from workbench.core.errors import BadInputError, GateFailedError, WorkbenchError
from workbench.core.records import Verdict
from workbench.core.workspace import Workspace, write_json
from workbench.serve.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.core.artifact import Artifact


class Command:
    """`workbench store`, run here in a workspace of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.store = Store.of(Workspace.at(home))

    def __call__(self, *arguments: object) -> str:
        done = CliRunner().invoke(cli.app, ["store", *map(str, arguments), "--home", str(self.home)])
        if isinstance(done.exception, WorkbenchError):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.output

    def json(self, *arguments: object) -> Any:
        return json.loads(self(*arguments, "--json"))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    return Command(tmp_path / "home")


def verdict(path: Path, *, passed: bool) -> Path:
    write_json(path, {"run": "road-1", "verdict": Verdict(passed=passed, lines=()).to_json()})
    return path


def test_from_publishing_to_deleting(run: Command, make: Callable[[str], Artifact], tiny_onnx: Artifact) -> None:
    good = verdict(run.home.parent / "report.json", passed=True)
    published = run.json("publish", tiny_onnx.folder, "m", "--verdict", good)
    assert published == {"name": "m", "version": 1, "gate": "passed"}
    for content in "ab":
        run("publish", make(content).folder, "m", "--override", "the old one is worse", "--by", "anna")
    run("label", "m", "stable", 1)  # tried in a process of its own
    run.store.label("m", "stable", 3, bless=None)
    assert run.json("rollback", "m") == {"name": "m", "label": "stable", "version": 1}
    assert run.json("label", "m", "live", 3) == {"name": "m", "label": "live", "version": 3}
    assert run("list").splitlines() == [
        "m                            1  passed     onnx/float32          stable",
        "m                            2  overridden onnx/float32",
        "m                            3  overridden onnx/float32          live",
    ]
    assert run("label", "m", "live", "--remove") == "name m  label live  version none\n"
    assert run.json("collect", "m", "--keep", 1) == {"name": "m", "deleted": [2]}
    said = run("history", "m").splitlines()
    assert "  version 2 published, overridden (by anna: the old one is worse)" in said[1]
    assert "  stable is rolled back to version 1, before 3 (by " in said[5]
    assert [row["version"] for row in run.json("list", "m")["m"]] == [1, 3]


def test_an_empty_store_says_where_it_looked(run: Command) -> None:
    assert run("list") == f"No models in {run.store.base}; `workbench store publish FOLDER NAME` puts one there.\n"
    assert run.json("list") == {}


def test_what_is_refused(run: Command, make: Callable[[str], Artifact]) -> None:
    one = make("a")
    bad = verdict(run.home.parent / "report.json", passed=False)
    with pytest.raises(GateFailedError, match="m must pass its gate") as refused:
        run("publish", one.folder, "m", "--verdict", bad)
    assert refused.value.exit_code == 1
    with pytest.raises(BadInputError, match="--by must say who"):
        run("publish", one.folder, "m", "--override", "because")
    with pytest.raises(BadInputError, match="verdict must be a JSON file of a verdict"):
        run("publish", one.folder, "m", "--verdict", one.path)
    run("publish", one.folder, "m")
    with pytest.raises(BadInputError, match="must have passed a gate to be called stable"):
        run("label", "m", "stable", 1)
    with pytest.raises(BadInputError, match="version must be given, or --remove"):
        run("label", "m", "live")
    for command in (["history"], ["list"], ["label", "--remove"], ["rollback"]):
        with pytest.raises(BadInputError, match="name must be a model in "):
            run(command[0], "nobody", *(["live"] if command[1:] else []), *command[1:])
    with pytest.raises(BadInputError, match="name must be a model in "):
        run("label", "nobody", "live", 1)
    with pytest.raises(BadInputError, match=r"meant another version .*; say which with `to=` \(`--to`\): 1"):
        run("rollback", "m")
    with pytest.raises(BadInputError, match="keep must be a whole number"):
        run("collect", "m", "--keep", 0)
