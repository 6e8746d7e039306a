"""What a sweep has measured so far, as questions that people ask of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError
from workbench.sweep.constraint import meets, nearest_sentence, parse_all
from workbench.sweep.metrics import METRICS, losses, metric_name, repeated, shown
from workbench.sweep.pareto import frontier
from workbench.sweep.question import Question

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.core.records import Constraint, Repeated, SweepPoint
    from workbench.sweep.folder import State


@dataclass(frozen=True)
class Results(Question):
    """The points of a sweep's folder; each call reads it anew, so a sweep under way has results too."""

    @property
    def state(self) -> State:
        """How it stands: new, running, done, paused, cancelled, failed or lost (its process is gone)."""
        return self.folder.state

    def points(self) -> tuple[SweepPoint, ...]:
        """Return what was finished so far, failed ones too."""
        return tuple(self.folder.points().values())

    def failed(self) -> tuple[SweepPoint, ...]:
        """Return the points that failed, each with its reason."""
        return tuple(point for point in self.points() if point.state == "failed")

    def over_seeds(self) -> tuple[Repeated, ...]:
        """Return each configuration with the mean and spread of every metric over its seeds."""
        return repeated(self.points())

    def compared(self) -> tuple[SweepPoint | Repeated, ...]:
        """Return what is compared: measured points, or where there are several seeds, their means."""
        if len(self.settings.seeds) > 1:
            return self.over_seeds()
        return tuple(point for point in self.points() if point.variant is not None)

    def frontier(
        self,
        objectives: Iterable[str] | None = None,
        constraints: str | Constraint | Iterable[str | Constraint] | None = None,
    ) -> tuple[SweepPoint | Repeated, ...]:
        """Return the points that no other point beats, best in the first objective first.

        Args:
            objectives: Metrics; None is the sweep's own.
            constraints: Only points that keep these limits; None is the sweep's own.
        """
        names = tuple(metric_name(name) for name in objectives) if objectives else self.settings.objectives
        limits = parse_all(self.settings.constraints if constraints is None else constraints)
        return frontier([point for point in self.compared() if meets(point, limits)], names)  # type: ignore[arg-type]

    def best(
        self, budget: str | Constraint | Iterable[str | Constraint] | None = None, objective: str = "accuracy"
    ) -> SweepPoint | Repeated:
        """Return the best point under a budget.

        Args:
            budget: Limits such as `"gzip <= 40 kB"`, one or several; None is the sweep's own constraints.
            objective: The metric that decides; equal ones are decided by the sweep's other objectives.

        Raises:
            BadInputError: Nothing keeps the limits (the nearest point is named), or nothing was measured yet.
        """
        limits = parse_all(self.settings.constraints if budget is None else budget)
        decisive = metric_name(objective, "objective")
        points = self.compared()
        found = [point for point in points if meets(point, limits) and losses(point, [decisive]) is not None]
        if not found:
            reason = nearest_sentence(points, limits) if points and limits else f"{self.name} has no measured point."
            raise BadInputError(reason)
        order = [decisive, *(name for name in self.settings.objectives if name != decisive)]
        return min(found, key=lambda point: tuple((losses(point, [name]) or (float("inf"),))[0] for name in order))

    def nothing_meets(self) -> str:
        """Say in one sentence that nothing keeps the sweep's constraints and what comes nearest; "" if something does.

        While there is no measured point it says nothing either.
        """
        limits = parse_all(self.settings.constraints)
        points = self.compared()
        if not limits or not points or any(meets(point, limits) for point in points):
            return ""
        return nearest_sentence(points, limits)

    def point(self, name: str) -> SweepPoint:
        """Return a point by its label, or the beginning of its key.

        Raises:
            BadInputError: None or several are meant.
        """
        points = self.points() if isinstance(name, str) else ()
        found = [each for each in points if each.label == name] or [
            each for each in points if name and each.key.startswith(name)
        ]
        if len(found) != 1:
            raise BadInputError.of("point", rule="must be the label or key of one point", got=name)
        return found[0]

    def rows(self) -> list[dict[str, Any]]:
        """Return each point's label, state and metrics as people read them, for a table."""
        return [
            {"label": point.label, "state": point.state, **{name: shown(point, name) for name in METRICS}}
            for point in self.points()
        ]
