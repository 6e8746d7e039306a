"""What one look found, as rules ask about it and as people read it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.core.records import DriftReport, Proportion
    from workbench.monitor.recent import Condition


class Seen(NamedTuple):
    """What one look found; None where there is nothing new.

    Attributes:
        requests: Requests since the look before.
        condition: Errors and latency of the last ones.
        accuracy: Of the last ones whose truth is known.
        drift: The last window that was compared.
        inside: What the server knows of itself, by metric.
    """

    requests: int
    condition: Condition
    accuracy: Proportion | None
    drift: DriftReport | None
    inside: Mapping[str, float] = MappingProxyType({})

    def facts(self) -> dict[str, float]:
        """Return the metrics that there is news of: of a share, the end of its interval that is certain."""
        condition = self.condition
        found: dict[str, float | None] = {
            "error_rate": condition.errors.low if condition.errors is not None else None if condition.is_up else 1.0,
            "p95_ms": condition.p95_ms,
            "accuracy": self.accuracy.high if self.accuracy is not None else None,
            "drift": sum(test.alarm for test in self.drift.tests) if self.drift is not None else None,
        }
        return {name: float(value) for name, value in found.items() if value is not None} | dict(self.inside)

    def words(self) -> dict[str, str]:
        """Return what is to be said beside a metric's value."""
        found = {}
        errors, right = self.condition.errors, self.accuracy
        if not self.condition.is_up:
            found["error_rate"] = "The server does not answer."
        if errors is not None:
            found["error_rate"] = f"{errors.successes} of the last {errors.total} requests failed."
        if right is not None:
            found["accuracy"] = f"{right.successes} of the last {right.total} labelled answers were right."
        if self.drift is not None:
            found["drift"] = self.drift.words
        if self.inside.get("restarts"):
            found["restarts"] = f"{self.inside['restarts']:.0f} workers ended and were replaced."
        if self.inside.get("unlogged"):
            found["unlogged"] = f"{self.inside['unlogged']:.0f} answers could not be noted; the server's log says why."
        return found
