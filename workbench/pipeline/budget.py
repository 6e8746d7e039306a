"""How often a model may be retrained: what bounds a loop lies in a file, so that no restart forgets it."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import Field, ValidationError

from workbench.core.errors import BadInputError, WorkspaceError
from workbench.core.records import Record
from workbench.core.settings import Settings
from workbench.core.workspace import read_json, write_json, writing
from workbench.jobs import lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from workbench.core.records import HardSample

_MOST_KEPT = 10_000


class RetrainBudget(Settings):
    """What retraining may cost."""

    max_runs: int = Field(3, ge=1, le=1000, description="how often a model may be retrained in the time below")
    per_seconds: float = Field(86_400, gt=0, le=366 * 86_400, description="that time in seconds; 86400 is a day")
    min_new_samples: int = Field(
        10, ge=1, le=10_000, description="samples that the hard set must hold which no retraining has seen"
    )


class _Spent(Record):
    """What the file holds.

    Attributes:
        runs: When each began, seconds since 1970.
        seen: Samples, with their labels, that a retraining has seen.
    """

    runs: tuple[float, ...] = ()
    seen: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ledger:
    """What has been spent on one model.

    Attributes:
        file: Where it is kept.
        what: What is retrained, for sentences.
    """

    file: Path
    what: str

    @contextlib.contextmanager
    def spending(self, budget: RetrainBudget, samples: Iterable[HardSample]) -> Iterator[int]:
        """Hold the right to retrain for a block, and give how many more there will be in the budget's time.

        It is spent when the block begins: a retraining that fails or is killed counts as well.

        Raises:
            BadInputError: The budget is spent, the hard set holds too little that is new, or a retraining is under way;
                the sentence says when and how it goes on.
            WorkspaceError: The file is damaged, or the disk refused it.
        """
        with self._alone():
            spent = self._read()
            now = time.time()
            left = self._require_time(budget, spent, now)
            new = self._require_new(budget, spent, samples)
            seen = (*spent.seen, *new)[-_MOST_KEPT:]
            write_json(self.file, _Spent(runs=(*spent.runs, now)[-_MOST_KEPT:], seen=seen).to_json())
            yield left

    def _require_time(self, budget: RetrainBudget, spent: _Spent, now: float) -> int:
        # A run in the future, of a clock that was set back, counts: what bounds a loop fails on the safe side.
        recent = sorted(begun for begun in spent.runs if now - begun < budget.per_seconds)
        if len(recent) >= budget.max_runs:
            free = datetime.fromtimestamp(recent[-budget.max_runs] + budget.per_seconds, UTC)
            raise BadInputError.of(
                f"retraining {self.what}", got=f"{len(recent)} already",
                rule=f"must happen at most {budget.max_runs} times in {budget.per_seconds:g} s",
                hint=f"the next may begin at {free:%Y-%m-%d %H:%M:%S} UTC; or raise max_runs of the budget",
            )  # fmt: skip
        return budget.max_runs - len(recent) - 1

    def _require_new(self, budget: RetrainBudget, spent: _Spent, samples: Iterable[HardSample]) -> list[str]:
        seen = set(spent.seen)
        new = [key for key in (f"{each.id}:{each.label}" for each in samples) if key not in seen]
        if len(new) < budget.min_new_samples:
            raise BadInputError.of(
                "the hard set", got=len(new),
                rule=f"must hold at least {budget.min_new_samples} samples that no retraining of {self.what} has seen",
                hint="keep more, or lower min_new_samples of the budget",
            )  # fmt: skip
        return new

    def _read(self) -> _Spent:
        if not self.file.is_file():
            return _Spent()
        try:
            return _Spent.from_json(read_json(self.file))
        except ValidationError as error:
            raise WorkspaceError(f"{self.file} is damaged; delete it to give the budget anew.") from error

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        place = self.file.with_suffix(".lock")
        with writing(place):
            place.parent.mkdir(parents=True, exist_ok=True)
        held = lock.acquire(place)
        if held is None:
            raise BadInputError.of(f"retraining {self.what}", rule="must not begin while one is under way",
                                   got="one under way", hint="wait for its end; `workbench runs` lists it")  # fmt: skip
        try:
            yield
        finally:
            lock.release(held)
