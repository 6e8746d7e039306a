"""What to mind before training: counted, not guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from workbench.datasets import Dataset
from workbench.datasets.survey import survey
from workbench.panels.parts.data_facts import checks, comparison

if TYPE_CHECKING:
    from workbench.core.workspace import Workspace


def test_leaks_repetitions_and_contradictions_are_counted(fresh_workspace: Workspace) -> None:
    rng = np.random.default_rng(0)
    train, test = (rng.integers(0, 255, (count, 6, 6), dtype=np.uint8) for count in (40, 10))
    labels, held = np.arange(40) % 2, np.arange(10) % 2
    train[4], train[7], train[9] = train[0], train[2], 0  # one repeats, one contradicts, one is blank
    test[3], test[5] = train[0], test[1]
    data = Dataset.from_arrays(train, labels, test, held, name="faulty", workspace=fresh_workspace)
    found = survey(data)
    assert (found.leaked, found.contradictory) == (1, 2)
    assert (found.train.repeated, found.test.repeated, found.train.constant) == (2, 1, 1)
    assert found.train.mean == pytest.approx(float(np.asarray(data.x_train, float).mean()))
    assert found.train.deviation == pytest.approx(float(np.asarray(data.x_train, float).std()))
    said = [row["sentence"] for row in checks(found) if row["verdict"].startswith("!")]
    assert said == [
        "1 of 10 test samples are training samples too: the accuracy will look too good.",
        "2 training samples equal one of another class: no model can get them all right.",
        "3 samples repeat an earlier one of their split.",
        "0 has only 5 test samples: its scores will be uncertain.",
        "1 samples hold one value only.",
    ]
    assert comparison(found)[0] == {"what": "Samples", "train": "40", "test": "10"}


def test_balance_and_shift(fresh_workspace: Workspace) -> None:
    images = np.arange(100, dtype=np.uint8)[:, None, None] * np.ones((1, 4, 4), np.uint8)
    images[:, 0, 0] = 255
    labels, held = (np.arange(80) >= 60).astype(int), (np.arange(20) >= 10).astype(int)
    data = Dataset.from_arrays(images[:80], labels, images[80:], held, name="uneven", workspace=fresh_workspace)
    found = survey(data)
    assert [(each.train, each.test) for each in found.balance] == [(60, 10), (20, 10)]
    assert (found.imbalance, found.shift, found.rarest) == (3, 0.25, 10)
    assert "A class's share differs by 25.0 points between the splits." in {row["sentence"] for row in checks(found)}
