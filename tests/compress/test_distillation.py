from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from workbench.jobs import submit

if TYPE_CHECKING:
    from workbench.core.workspace import Workspace


def test_the_loss_is_the_papers(workspace: Workspace) -> None:
    draw = np.random.default_rng(0)
    teacher, student = (draw.dirichlet(np.ones(4), 6) for _ in range(2))
    labels = np.eye(4)[draw.integers(0, 4, 6)]
    temperature = 3.0

    def softened(probabilities: np.ndarray) -> np.ndarray:
        powers = probabilities ** (1 / temperature)
        return powers / powers.sum(axis=1, keepdims=True)

    hard = -np.log((labels * student).sum(axis=1)).mean()
    p, q = softened(teacher), softened(student)
    soft = (p * np.log(p / q)).sum(axis=1).mean()
    asked = {
        "labels": labels.tolist(), "teacher": teacher.tolist(), "student": student.tolist(),
        "weights": [0.0, 0.4, 1.0], "temperature": temperature,
    }  # fmt: skip
    *losses, alone = submit("compression_stages:distillation_loss", asked, kind="probe", workspace=workspace).wait(60)
    expected = [(1 - w) * hard + w * temperature**2 * soft for w in (0.0, 0.4, 1.0)]
    assert losses == pytest.approx(expected, rel=1e-4)
    assert alone == pytest.approx(hard, rel=1e-4)
