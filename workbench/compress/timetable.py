"""Which steps of one gradual pruning belong to which sparsity."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Of each level's stretch: in which weights leave, and at whose end the weights are averaged. Between the two the
# network recovers.
_CLIMB, _AVERAGED = 0.4, 0.4
_LOOKS = 10
# A level above it gets no more steps than this one would, or it would take them all.
_HARDEST = 0.95


@dataclass(frozen=True)
class Stretch:
    """The steps of one level, counted from 0.

    Attributes:
        start: The first one.
        end: The first one of the next level.
        climb: So many of them, from the first on, in which weights leave.
        frequency: Steps between two looks at the masks; divides `climb`, so that the last look sees the level.
        averaged: So many of them, up to the last, whose weights are averaged.
    """

    start: int
    end: int
    climb: int
    frequency: int
    averaged: int


@dataclass(frozen=True)
class Timetable:
    """Which step belongs to which level."""

    stretches: tuple[Stretch, ...]

    @classmethod
    def over(cls, steps: int, levels: Sequence[float]) -> Timetable:
        """Divide a fine-tuning among ascending levels.

        Raises:
            BadInputError: A level would have fewer steps than ten.
        """
        shares = np.array([1 / (1 - min(level, _HARDEST)) for level in levels])
        ends = [0, *(int(end) for end in np.floor(np.cumsum(shares) / shares.sum() * steps + 1e-9))]
        lengths = np.diff(ends)
        if lengths.min() < _LOOKS:
            raise BadInputError.of(
                "sparsities", rule=f"must leave each level {_LOOKS} steps of the {steps} of the fine-tuning",
                got=list(levels), hint="ask for more epochs or fewer levels",
            )  # fmt: skip
        return cls(tuple(_stretch(start, end) for start, end in pairwise(ends)))

    def level_at(self, step: int) -> int | None:
        """Return the number of the level that a step belongs to; None after the last."""
        return next((number for number, each in enumerate(self.stretches) if step < each.end), None)


def _stretch(start: int, end: int) -> Stretch:
    climb, averaged = int(_CLIMB * (end - start)), int(_AVERAGED * (end - start))
    frequency = max(1, climb // _LOOKS)
    return Stretch(start, end, climb // frequency * frequency, frequency, averaged)
