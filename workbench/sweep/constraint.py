"""Limits as people write them: "gzip <= 40 kB", "drop <= 0.2 pt", "p95 <= 1 ms"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workbench.core.errors import BadInputError
from workbench.core.records import Constraint, Repeated, SweepPoint
from workbench.sweep.metrics import METRICS, metric_name, shown, value_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_FORM = re.compile(r"\s*([a-z0-9_]+)\s*(<=|>=|≤|≥)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-zµ%]*)\s*")
_EXAMPLE = 'write it like "gzip <= 40 kB", "drop <= 0.2 pt" or "p95 <= 1 ms"'


def parse(text: str | Constraint) -> Constraint:
    """Read one limit.

    Raises:
        BadInputError: It is not of the form `metric <= number unit`, or the metric or unit does not exist.
    """
    if isinstance(text, Constraint):
        return text
    found = _FORM.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise BadInputError.of("constraint", rule="must be a metric, <= or >=, a number and a unit", got=text,
                               hint=_EXAMPLE)  # fmt: skip
    name, sign, number, unit = found.groups()
    metric = metric_name(name, "constraint")
    units = METRICS[metric].units
    if unit not in units:
        known = ", ".join(each for each in units if each)
        raise BadInputError.of("constraint", rule=f"must give {metric} in {known}", got=text, hint=_EXAMPLE)
    return Constraint(
        metric=metric, at_least=sign in (">=", "≥"), limit=float(number) * units[unit], text=" ".join(text.split())
    )


def parse_all(texts: str | Constraint | Iterable[str | Constraint] | None) -> tuple[Constraint, ...]:
    """Read several limits, or one, or none."""
    if texts is None:
        return ()
    if not isinstance(texts, (str, Constraint)) and not hasattr(texts, "__iter__"):
        raise BadInputError.of("constraints", rule="must be limits", got=texts, hint=_EXAMPLE)
    return tuple(parse(each) for each in ([texts] if isinstance(texts, (str, Constraint)) else texts))


def excess(point: SweepPoint | Repeated, constraint: Constraint) -> float:
    """Return how far a point is beyond a limit, in the metric's unit: ≤ 0 where it keeps it, ∞ if not measured."""
    value = value_of(point, constraint.metric)
    if value is None:
        return float("inf")
    return constraint.limit - value if constraint.at_least else value - constraint.limit


def meets(point: SweepPoint | Repeated, constraints: Iterable[Constraint]) -> bool:
    """Say whether a point keeps all limits."""
    return all(excess(point, each) <= 0 for each in constraints)


def nearest_sentence(points: Sequence[SweepPoint | Repeated], constraints: Sequence[Constraint]) -> str:
    """Say that no point keeps the limits, and which comes nearest: the least sum of relative excesses."""
    asked = " and ".join(each.text for each in constraints)
    candidates = [point for point in points if all(value_of(point, each.metric) is not None for each in constraints)]
    if not candidates:
        return f"No point keeps {asked}: none was measured by that."
    best = min(candidates, key=lambda point: sum(_relative(point, each) for each in constraints))
    broken = [each.metric for each in constraints if excess(best, each) > 0]
    figures = ", ".join(f"{name} {shown(best, name)}" for name in dict.fromkeys(broken))
    return f"No point keeps {asked}; the nearest is {best.label} with {figures}."


def _relative(point: SweepPoint | Repeated, constraint: Constraint) -> float:
    over = max(0.0, excess(point, constraint))
    # A limit of 0 has no relative excess.
    return over / abs(constraint.limit) if constraint.limit else over
