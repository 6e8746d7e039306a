"""What bounds retraining is spent when it begins, and is never forgotten."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from workbench.core.errors import BadInputError, WorkspaceError
from workbench.core.records import HardSample
from workbench.pipeline.budget import Ledger, RetrainBudget

if TYPE_CHECKING:
    from pathlib import Path

    from _pytest.monkeypatch import MonkeyPatch


def sample(number: int, label: int = 0) -> HardSample:
    return HardSample(
        id=f"{number:032x}", number=number, label=label, source="drawn", held=False, shape=(8, 8, 1), added=""
    )  # fmt: skip


def spend(ledger: Ledger, budget: RetrainBudget, *samples: HardSample) -> int:
    with ledger.spending(budget, samples) as left:
        return left


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "retraining" / "digits.json", "digits")


def test_it_is_spent_once_a_run_and_free_again_in_time(ledger: Ledger, monkeypatch: MonkeyPatch) -> None:
    budget = RetrainBudget(max_runs=2, per_seconds=100, min_new_samples=1)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    assert [spend(ledger, budget, sample(1)), spend(ledger, budget, sample(2))] == [1, 0]
    with pytest.raises(BadInputError, match=r"must happen at most 2 times in 100 s, got '2 already'; the next may"):
        spend(ledger, budget, sample(3))
    monkeypatch.setattr(time, "time", lambda: now + 101)
    assert spend(ledger, budget, sample(3)) == 1


def test_a_clock_that_is_set_back_gives_nothing_free(ledger: Ledger, monkeypatch: MonkeyPatch) -> None:
    budget = RetrainBudget(max_runs=1, per_seconds=100, min_new_samples=1)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    spend(ledger, budget, sample(1))
    monkeypatch.setattr(time, "time", lambda: now - 1e6)
    with pytest.raises(BadInputError, match="1 already"):
        spend(ledger, budget, sample(2))


def test_only_what_no_retraining_has_seen_is_new(ledger: Ledger) -> None:
    budget = RetrainBudget(max_runs=9, min_new_samples=2)
    spend(ledger, budget, sample(1), sample(2))
    with pytest.raises(
        BadInputError, match="must hold at least 2 samples that no retraining of digits has seen, got 1"
    ):
        spend(ledger, budget, sample(1), sample(2), sample(3))
    assert spend(ledger, budget, sample(1), sample(2, label=7), sample(3)) == 7


def test_one_that_fails_counts_too(ledger: Ledger) -> None:
    budget = RetrainBudget(max_runs=1, min_new_samples=1)
    with pytest.raises(ZeroDivisionError), ledger.spending(budget, [sample(1)]):
        raise ZeroDivisionError
    with pytest.raises(BadInputError, match="1 already"):
        spend(ledger, budget, sample(2))


def test_what_is_refused_costs_nothing(ledger: Ledger) -> None:
    budget = RetrainBudget(max_runs=1, min_new_samples=2)
    with pytest.raises(BadInputError, match="got 1"):
        spend(ledger, budget, sample(1))
    assert spend(ledger, budget, sample(1), sample(2)) == 0


def test_two_at_once_are_one_too_many(ledger: Ledger) -> None:
    budget = RetrainBudget(max_runs=9, min_new_samples=1)
    with (
        ledger.spending(budget, [sample(1)]),
        pytest.raises(BadInputError, match="must not begin while one is under way"),
    ):
        spend(ledger, budget, sample(2))
    assert spend(ledger, budget, sample(2)) == 7


@pytest.mark.parametrize("text", ["", "[]", '{"runs": "many"}', '{"other": 1}'])
def test_a_damaged_file_opens_no_loop(ledger: Ledger, text: str) -> None:
    ledger.file.parent.mkdir(parents=True)
    ledger.file.write_text(text, encoding="utf-8")
    with pytest.raises(WorkspaceError, match=r"digits\.json"):
        spend(ledger, RetrainBudget(min_new_samples=1), sample(1))
