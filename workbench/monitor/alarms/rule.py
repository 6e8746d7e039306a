"""What a metric must not do."""

from __future__ import annotations

import re
from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from workbench.core.errors import BadInputError
from workbench.core.settings import Settings

Metric = Literal["error_rate", "p95_ms", "drift", "accuracy", "restarts", "unlogged"]

_LARGE = 1e12
_WORDS = re.compile(
    rf"({'|'.join(get_args(Metric))}) +(above|below) +(-?[0-9]*\.?[0-9]+(?:e-?[0-9]+)?)(?: +for +([0-9]+))?"
)


class Rule(Settings):
    """One metric, its limit, and how long it must be passed before anybody is called."""

    metric: Metric = Field(description="what is watched")
    above: float | None = Field(default=None, ge=-_LARGE, le=_LARGE, description="an alarm is a value above")
    below: float | None = Field(default=None, ge=-_LARGE, le=_LARGE, description="an alarm is a value below")
    for_windows: int = Field(default=1, ge=1, le=1000, description="looks in a row that must pass the limit")
    clear_after: int = Field(default=2, ge=1, le=1000, description="looks in a row that must be good to end an alarm")
    clear_at: float | None = Field(
        default=None, ge=-_LARGE, le=_LARGE,
        description="a value is good again only from here on; the limit itself where it is left out",
    )  # fmt: skip
    name: str = Field(default="", max_length=100, description="what it is called; made of the rest where empty")

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError("must have either above or below")
        if self.clear_at is not None and self.breaks(self.clear_at):
            raise ValueError(f"clear_at must not itself be {self.direction} the limit")
        return self

    @classmethod
    def of(cls, text: str) -> Rule:
        """Read a rule from words, such as `p95_ms above 50 for 3`.

        Args:
            text: Metric, `above` or `below`, limit, and if wanted `for` and the looks that must pass it.

        Raises:
            BadInputError: It is none.
        """
        found = _WORDS.fullmatch(text.strip())
        if found is None:
            raise BadInputError.of(
                "rule", rule=f"must say one of {', '.join(get_args(Metric))}, above or below, and a number", got=text,
                hint='write it as "p95_ms above 50" or "accuracy below 0.9 for 3"',
            )  # fmt: skip
        metric, direction, limit, times = found.groups()
        return cls.parse({"metric": metric, direction: float(limit), "for_windows": int(times or 1)})

    @property
    def direction(self) -> str:
        """`above` or `below`."""
        return "below" if self.above is None else "above"

    @property
    def limit(self) -> float:
        """What must not be passed."""
        found = self.below if self.above is None else self.above
        assert found is not None
        return found

    @property
    def title(self) -> str:
        """Its name, or the rule itself."""
        return self.name or f"{self.metric} {self.direction} {self.limit:g}"

    def breaks(self, value: float) -> bool:
        """Say whether a value passes the limit."""
        return value < self.limit if self.above is None else value > self.limit

    def is_good(self, value: float) -> bool:
        """Say whether a value is far enough from the limit to end an alarm."""
        if self.clear_at is None:
            return not self.breaks(value)
        return value >= self.clear_at if self.above is None else value <= self.clear_at


def default_rules() -> tuple[Rule, ...]:
    """Return what is sensible for any server: 5 % errors for certain, and drift."""
    return (Rule(metric="error_rate", above=0.05), Rule(metric="drift", above=0, clear_after=2))
