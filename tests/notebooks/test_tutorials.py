"""The tutorials: how they are written, and that they run from top to bottom with their exercises solved."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import psutil
import pytest
from nbclient import NotebookClient

from tests.notebooks.solutions import SOLUTIONS
from workbench.jobs.cluster import find
from workbench.lessons import EXERCISES, QUESTIONS
from workbench.serve.sandbox import running

if TYPE_CHECKING:
    from workbench.core.workspace import Workspace

HERE = Path(__file__).parents[2] / "notebooks" / "tutorials"
ENGLISH = sorted(HERE.glob("*.ipynb"))
MOST_LINES = 5
MOST_SECONDS = 180


def cells(path: Path, kind: str = "code") -> list[Any]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def asked(path: Path, what: str) -> list[str]:
    return re.findall(rf'wb\.{what}\("(\w+)"', "\n".join(cell.source for cell in cells(path)))


def test_there_are_tutorials_in_both_languages() -> None:
    assert ENGLISH
    assert [path.name for path in ENGLISH] == sorted(path.name for path in (HERE / "zh").glob("*.ipynb"))


@pytest.mark.parametrize("path", [*ENGLISH, *sorted((HERE / "zh").glob("*.ipynb"))], ids=lambda path: path.parent.name)
def test_cells_are_short_and_keep_no_outputs(path: Path) -> None:
    for cell in cells(path):
        assert len(cell.source.splitlines()) <= MOST_LINES, cell.source
        assert (cell.outputs, cell.execution_count) == ([], None)
        assert not re.search(r"\._\w", cell.source), "notebooks touch public names only"


@pytest.mark.parametrize("path", ENGLISH, ids=lambda path: path.stem)
def test_the_chinese_edition_has_the_same_code(path: Path) -> None:
    other = cells(HERE / "zh" / path.name)
    assert [(cell.id, cell.source) for cell in cells(path)] == [(cell.id, cell.source) for cell in other]
    prose = [cell.source for cell in cells(HERE / "zh" / path.name, "markdown")]
    assert all(re.search(r"[\u4e00-\u9fff]", text) for text in prose)


@pytest.mark.parametrize("path", ENGLISH, ids=lambda path: path.stem)
def test_panels_with_sliders_and_sweeps_have_a_model_to_begin_with(path: Path) -> None:
    """Alone in a cell they open empty, and the reader would drag sliders that do nothing."""
    bare = [cell.source for cell in cells(path) if re.search(r"wb\.(Compress|Sweep)Panel\(\)", cell.source)]
    assert not bare


def test_every_exercise_and_question_is_asked_somewhere_and_solved() -> None:
    assert {name for path in ENGLISH for name in asked(path, "check")} == set(EXERCISES.names())
    assert {name for path in ENGLISH for name in asked(path, "question")} == set(QUESTIONS.names())
    assert set(SOLUTIONS) == set(EXERCISES.names())


# Backwards: each finds in the workspace only what later ones made, so none needs another to have been run before.
@pytest.mark.notebooks
@pytest.mark.parametrize("path", ENGLISH[::-1], ids=lambda path: path.stem)
def test_it_runs_with_its_exercises_solved(
    path: Path, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WORKBENCH_DATA", raising=False)  # on the digits, as most readers run it
    book = nbformat.read(path, as_version=4)
    for cell in book.cells:
        for name in re.findall(r'wb\.check\("(\w+)"', cell.source if cell.cell_type == "code" else ""):
            assert cell.source.count("answer = ...\n") == 1
            cell.source = cell.source.replace("answer = ...\n", SOLUTIONS[name])
    NotebookClient(book, timeout=MOST_SECONDS, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = "".join(output.get("text", "") for cell in book.cells for output in cell.get("outputs", ()))
    for name in asked(path, "check"):
        assert f"{name}: Right." in said
    assert not running(workspace), "a notebook stops the servers it started"
    assert not ours_left(workspace)


def ours_left(workspace: Workspace) -> list[str]:
    """Return the processes that work in the workspace and are not of its cluster."""
    cluster = find(workspace)
    assert cluster is not None
    spared = {cluster.pid, os.getpid(), *(child.pid for child in psutil.Process(cluster.pid).children(recursive=True))}
    left = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid not in spared and process.environ().get("WORKBENCH_HOME") == str(workspace.home):
                left.append(" ".join(process.cmdline()))
    return left
