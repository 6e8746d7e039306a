"""Which samples stand behind a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from workbench.core.errors import WorkspaceError
from workbench.evaluate.answers import FILE, Answers
from workbench.evaluate.score import STAGE, asked
from workbench.jobs import submit

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.artifact import Artifact
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset

TRUTH = np.array([0, 0, 1, 1, 1])
ANSWERS = Answers.of(np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.7, 0.3], [0.95, 0.05]]))


def test_cells_and_worst_mistakes_come_surest_first() -> None:
    assert ANSWERS.cell(TRUTH, 1, 0).tolist() == [4, 3]
    assert ANSWERS.cell(TRUTH, 0, 0).tolist() == [0]
    assert ANSWERS.cell(TRUTH, 0, 1).tolist() == [1]
    assert ANSWERS.worst(TRUTH).tolist() == [4, 3, 1]
    assert Answers.of(np.eye(2)).worst(np.arange(2)).tolist() == []


def test_they_are_kept_and_found_again(tmp_path: Path) -> None:
    assert Answers.read(tmp_path, 5) is None
    ANSWERS.write(tmp_path)
    again = Answers.read(tmp_path, 5)
    assert again is not None
    np.testing.assert_array_equal(again.predicted, ANSWERS.predicted)
    np.testing.assert_array_equal(again.confidence, ANSWERS.confidence)


@pytest.mark.parametrize("damage", [b"", b"PK\3\4 nonsense", None])
def test_a_damaged_file_is_named(tmp_path: Path, damage: bytes | None) -> None:
    ANSWERS.write(tmp_path)
    if damage is not None:
        (tmp_path / FILE).write_bytes(damage)
    with pytest.raises(WorkspaceError, match="is damaged; delete the run's folder"):
        Answers.read(tmp_path, 5 if damage is not None else 6)


def test_the_job_keeps_what_its_scores_are_made_of(trained: Artifact, digits: Dataset, workspace: Workspace) -> None:
    job = submit(STAGE, asked(trained, digits, "test"), kind="evaluate", workspace=workspace)
    job.wait()
    confusion = job.value()["confusion"]
    found = Answers.read(job.result, digits.test_size)
    assert found is not None
    truth = digits.labels("test")
    counts = [[len(found.cell(truth, row, column)) for column in range(10)] for row in range(10)]
    assert counts == [list(row) for row in confusion]
    assert (job.result / FILE).stat().st_size < 10_000
