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


@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o600), (0o022, 0o644)])
def test_a_strict_umask_is_kept(mask: int, mode: int, tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from workbench.core.workspace import write_json\n"
    code += "write_json(Path(sys.argv[1]), 1)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "v")], check=True, umask=mask)
    assert (tmp_path / "v").stat().st_mode & 0o777 == mode


def test_a_new_home_is_private_and_an_old_one_is_left_alone(tmp_path: Path) -> None:
    assert Workspace.at(tmp_path / "a" / "new").ensure().home.stat().st_mode & 0o777 == 0o700
    (tmp_path / "old").mkdir(mode=0o755)
    assert Workspace.at(tmp_path / "old").ensure().home.stat().st_mode & 0o777 == 0o755


def test_trust_is_kept_by_content(tmp_path: Path) -> None:
    workspace, sha256 = Workspace.at(tmp_path / "home"), "ab" * 32
    assert not workspace.trusts(sha256)
    workspace.trust(sha256)
    assert workspace.trusts(sha256)
    assert not workspace.trusts("cd" * 32)
    with pytest.raises(BadInputError, match="sha256 must be 64 hexadecimal digits"):
        workspace.trusts("../../etc/passwd")


def test_a_workspace_holds_its_runs_and_models_only(tmp_path: Path) -> None:
    workspace = Workspace.at(tmp_path / "home").ensure()
    (workspace.runs / "out").symlink_to(tmp_path)
    assert workspace.holds(workspace.new_run("train") / "result")
    assert workspace.holds(workspace.models / "m" / "1")
    for folder in (tmp_path, workspace.cache, workspace.runs / ".." / "x", workspace.runs / "out"):
        assert not workspace.holds(folder)


def test_broken_json_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"a": ')
    with pytest.raises(WorkspaceError, match=r"broken\.json cannot be read"):
        read_json(tmp_path / "broken.json")


def test_a_digest_is_of_the_content() -> None:
    assert digest({"a": 1, "b": [2]}) == digest(json.loads('{"b": [2], "a": 1}'))
    assert digest({"a": 1}) != digest({"a": 2})
