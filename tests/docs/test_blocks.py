"""Every block of code in README and docs is run, read by what it is written for, or parsed by the real command line."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

import workbench as wb
from tests.docs.pages import BLOCKS, PAGES, PROSE, ROOT, Block, blocks, program
from workbench import cli
from workbench.core.workspace import Workspace

# What `# file:` blocks are put into is a package of its own or a copy of ours, whose jobs need a cluster of their own.
EXTENDING = sorted({block.page for block in BLOCKS if block.file and block.file != "run.yaml"})
RUNNING = [page for page in PAGES if program(page) and page not in EXTENDING]
QUICK = ("README.md", "docs/learn/first-hour.md", "docs/understand/intervals.md", "docs/do/cluster.md")
# Read by programs that are not here (nginx), drawings, and what Sphinx does.
SHOWN = ("nginx", "text", "{toctree}", "{include}")
EXPECTED = {
    "README.md": ("http://127.0.0.1:",),
    "docs/do/compress.md": (
        "measured on all 359 test samples", "of the weights are zero but the file stores them", "SweepPoint('sparsity",
    ),
    "docs/do/models-and-data.md": ("tflite/int8: LiteRT quantizer", "QuantizeLinear"),
    "docs/do/serve.md": ("grpc://", "canary"),
    "docs/do/rollout.md": ("agreement",),
}  # fmt: skip


def run(page: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program(page)], capture_output=True, text=True, check=False, cwd=folder,
        env={**os.environ, **environment},
    )  # fmt: skip


@pytest.mark.parametrize(
    "page", [page if page in QUICK else pytest.param(page, marks=pytest.mark.thorough) for page in RUNNING]
)
@pytest.mark.usefixtures("workspace")
def test_a_page_runs_as_it_stands(page: str, tmp_path: Path) -> None:
    done = run(page, tmp_path)
    assert done.returncode == 0, done.stderr
    assert [words for words in EXPECTED.get(page, ()) if words not in done.stdout] == []
    assert [each.name for each in tmp_path.iterdir() if each.name not in PAGES[page]] == []


def test_the_ten_lines_answer_right(workspace: Workspace, tmp_path: Path) -> None:
    answers = run("README.md", tmp_path).stdout.splitlines()[0]
    predicted, true = re.fullmatch(r"\[(.*)\] \[(.*)\]", answers).groups()  # type: ignore[union-attr]
    assert sum(a == b for a, b in zip(predicted.split(), true.split(), strict=True)) >= 2
    assert workspace.list_runs("serve")


@pytest.mark.thorough
@pytest.mark.parametrize("page", EXTENDING)
def test_what_a_page_adds_works(page: str, tmp_path: Path, fresh_workspace: Workspace) -> None:
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    site.mkdir()
    for block in blocks(page):
        if block.file:
            put(block, site)
    paths = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    done = run(page, empty, PYTHONPATH=paths, WORKBENCH_HOME=str(fresh_workspace.home))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def put(block: Block, site: Path) -> None:
    """Do with a file's block what the page says: into a copy of our package, or into a package of one's own."""
    if block.file.startswith("workbench/") and not (site / "workbench").exists():
        shutil.copytree(ROOT / "workbench", site / "workbench", ignore=shutil.ignore_patterns("__pycache__"))
    target = site / block.file
    if block.language == "diff":
        (old,), (new,) = ([line[1:] for line in block.text.splitlines() if line[0] == sign] for sign in "-+")
        text = target.read_text(encoding="utf-8")
        assert text.count(f"{old}\n") == 1, f"{block.file} has no such line any more"
        target.write_text(text.replace(old, new), encoding="utf-8")
    elif block.file == "pyproject.toml":
        install(tomllib.loads(block.text)["project"], site)
    else:
        target.write_text(block.text, encoding="utf-8")


def install(project: dict[str, Any], site: Path) -> None:
    """Leave what pip would of a package's entry points."""
    info = site / f"{project['name']}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    groups = (
        "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in points.items())])
        for group, points in project["entry-points"].items()
    )
    (info / "entry_points.txt").write_text("\n\n".join(groups))


def test_no_block_is_left_to_itself() -> None:
    known = {"python", "sh", "yaml", "toml", "diff", *SHOWN}
    assert [(block.page, block.language) for block in BLOCKS if block.language not in known] == []
    assert [block.page for block in BLOCKS if block.language in ("toml", "diff") and not block.file] == []


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "yaml"], ids=lambda block: block.page)
def test_a_run_as_a_file_is_one(block: Block, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(block.text, encoding="utf-8")
    config = wb.read_config(tmp_path / "run.yaml")
    assert config.model_dump(exclude_unset=True).keys() == yaml.safe_load(block.text).keys()


def shell_lines() -> Iterator[str]:
    for block in BLOCKS:
        if block.language == "sh":
            for line in block.text.replace("&&", "\n").splitlines():
                yield line.partition(" #")[0].strip()


@pytest.mark.parametrize("line", sorted({line for line in shell_lines() if line}))
def test_a_line_of_shell_is_taken(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first, *rest = shlex.split(line)
    for word in rest:  # what the line speaks of as there
        if word.isupper():
            Path(word).mkdir()
        elif Path(word).suffix and "/" not in word:
            Path(word).touch()
    match first:
        case "workbench":
            parse(rest)
        case "make":
            assert rest[0] in targets()
        case "pip":
            assert_extra(line)
        case _:
            assert shutil.which(first) or first == "export"


def parse(words: list[str]) -> None:
    """Parse a command as the real one does, and run nothing."""
    command: Any = typer.main.get_command(cli.app)
    name, context = "workbench", None
    with suppress(typer.Exit):
        while True:
            context = command.make_context(name, words, parent=context)
            if not hasattr(command, "resolve_command"):
                return
            left = [*getattr(context, "_protected_args", ()), *context.args]
            name, command, words = command.resolve_command(context, left)


@pytest.mark.parametrize("page", PROSE)
def test_what_the_text_names_is_there(page: str) -> None:
    spoken = re.findall(r"`([^`\n]+)`", PROSE[page])
    for words in spoken:
        if words.startswith("workbench ") and words.split()[1].islower():
            assert_known(words.split()[1:])
        elif re.match(r"(\w+=\S+ )?make [a-z-]+$", words):
            assert words.split()[-1] in targets(), words
        elif words.startswith("pip install"):
            assert_extra(words)


def assert_known(words: list[str]) -> None:
    """Say that a command and its flags exist, whatever stands for their values."""
    command: Any = typer.main.get_command(cli.app)
    while words and hasattr(command, "get_command"):
        known = command.get_command(None, words[0])
        assert known is not None, f"workbench {words[0]} is no command"
        command, words = known, words[1:]
    flags = {option for each in command.params for option in (*each.opts, *each.secondary_opts)} | {"--help"}
    assert [word for word in words if word.startswith("--") and word.partition("=")[0] not in flags] == []


def assert_extra(words: str) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert set(re.findall(r"lastmile-workbench\[(\w+)\]", words)) <= extras.keys()


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
