import json
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.core.errors import BadInputError, WorkspaceError
from workbench.core.workspace import Workspace, digest, read_json, write_atomic, write_json


def test_home_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "here"))
    assert Workspace.default().home == tmp_path / "here"
    monkeypatch.delenv("WORKBENCH_HOME")
    assert Workspace.default().home == Path.home() / ".workbench"


def test_runs_are_named_listed_and_found(tmp_path: Path) -> None:
    workspace = Workspace.at(tmp_path)
    first, second = workspace.new_run("train"), workspace.new_run("convert")
    assert workspace.run(first.name) == first
    assert {p.name for p in workspace.list_runs()} == {first.name, second.name}
    assert workspace.list_runs("convert") == [second]
    for name in ("nothing", "../models", first.name + "x"):
        with pytest.raises(BadInputError, match="run must name a folder"):
            workspace.run(name)


def test_a_write_is_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "value.json"
    write_json(target, {"a": 1})

    # A file-size limit is what a full disk looks like to one process.
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from workbench.core.workspace import write_atomic\n"
        "from workbench.core.errors import WorkspaceError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        f"try: write_atomic(Path({str(target)!r}), b'x' * 10_000)\n"
        "except WorkspaceError as error: sys.exit(0 if 'cannot be written' in str(error) else 1)\n"
        "sys.exit(2)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert read_json(target) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["value.json"]


def test_a_home_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(WorkspaceError, match="free some space or point WORKBENCH_HOME"):
        Workspace.at(tmp_path / "file").new_run("train")


def test_private_files_are_private(tmp_path: Path) -> None:
    write_atomic(tmp_path / "key", "secret", private=True)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_broken_json_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"a": ')
    with pytest.raises(WorkspaceError, match=r"broken\.json cannot be read"):
        read_json(tmp_path / "broken.json")


def test_a_digest_is_of_the_content() -> None:
    assert digest({"a": 1, "b": [2]}) == digest(json.loads('{"b": [2], "a": 1}'))
    assert digest({"a": 1}) != digest({"a": 2})
