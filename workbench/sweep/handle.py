"""A sweep as people see it: a handle to its folder, good in any process."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.sweep.constraint import meets, nearest_sentence, parse_all
from workbench.sweep.draft import Draft
from workbench.sweep.folder import SweepFolder, sweep_folders
from workbench.sweep.importance import by_variance
from workbench.sweep.metrics import METRICS, losses, metric_name, repeated, shown
from workbench.sweep.pareto import frontier
from workbench.sweep.plan import grid
from workbench.sweep.settings import SweepSettings, default_workers
from workbench.sweep.space import Space

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from workbench.core.events import Event
    from workbench.core.records import Constraint, Estimate, Repeated, SweepPoint, Verification
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset
    from workbench.jobs import Job
    from workbench.sweep.folder import State
    from workbench.sweep.plan import Base, Plan

STAGE = "workbench.sweep.run:run"
_SECONDS_A_LOOK = 0.1


@dataclass(frozen=True)
class Sweep:
    """One sweep. It holds nothing but the folder; everything is read from there when it is asked.

    Attributes:
        folder: Its files.
        workspace: Where they lie.
    """

    folder: SweepFolder
    workspace: Workspace

    @classmethod
    def named(cls, name: str, workspace: Workspace) -> Sweep:
        """Return the handle of a name, asked for or not."""
        return cls(SweepFolder.named(name, workspace), workspace)

    @classmethod
    def attach(cls, name: str, workspace: Workspace) -> Sweep:
        """Return a sweep that was asked for earlier or elsewhere.

        Raises:
            BadInputError: There is none of that name.
        """
        found = cls.named(name, workspace)
        if not found.folder.exists:
            known = ", ".join(each.name for each in sweep_folders(workspace)) or "none"
            raise BadInputError.of("name", rule=f"must be one of the sweeps here ({known})", got=name)
        return found

    def __repr__(self) -> str:
        return f"Sweep({self.name!r}, {self.state}, {len(self.folder.points())} of {self.total()} points)"

    @property
    def name(self) -> str:
        """Its folder's name."""
        return self.folder.name

    @property
    def state(self) -> State:
        """How it stands: new, running, done, paused, cancelled, failed or lost (its process is gone)."""
        return self.folder.state

    @property
    def run(self) -> Job | None:
        """The run of its last turn, whose events a panel may follow; None before the first."""
        from workbench.core.errors import WorkbenchError
        from workbench.jobs import attach

        try:
            return attach(str(self.folder.ending()["run"]), self.workspace)
        except (WorkbenchError, KeyError, TypeError):
            return None

    @cached_property
    def settings(self) -> SweepSettings:
        """How it searches and measures."""
        return SweepSettings.parse(self.folder.asked()["settings"])

    @cached_property
    def space(self) -> Space:
        """What it tries."""
        return Space.from_json(self.folder.asked()["space"])

    @property
    def base(self) -> Base:
        """What all its points share."""
        return Draft(self.folder.asked(), self.workspace).base

    def data(self) -> Dataset:
        """Open its dataset.

        Raises:
            WorkspaceError: It is not in the workspace any more.
        """
        from workbench.datasets import Dataset

        return Dataset.open_spec(self.folder.asked()["dataset"], self.workspace)

    def parent(self) -> Artifact | None:
        """Load the model that it compresses; None where it trains its own.

        Raises:
            WorkspaceError: The model was changed since the sweep began, or is gone.
        """
        parent = self.folder.asked()["parent"]
        return None if parent is None else Artifact.load(parent["folder"]).verify(parent["sha256"])

    def total(self) -> int:
        """Return how many points it has when it is done; for Optuna at most."""
        if self.settings.search == "optuna":
            return self.settings.trials * max(1, len(self.settings.seeds))
        return len(self.plans())

    def plans(self) -> tuple[Plan, ...]:
        """Return the points of its grid; for Optuna none, they are not known before."""
        if self.settings.search == "optuna":
            return ()
        return grid(self.space, self.base, self.settings.seeds)

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

    def importance(self, metric: str = "accuracy") -> dict[str, float]:
        """Return how much each axis decides a metric, largest first.

        A grid is taken apart by variance (`workbench.sweep.importance.by_variance`, the first-order effect η²); a
        search is asked by Optuna's own evaluator, which adds up to 1.

        Raises:
            BadInputError: No such metric.
            MissingExtraError: The search's Optuna is not installed.
        """
        name = metric_name(metric)
        if self.settings.search == "optuna":
            from workbench.sweep.search import Search

            return Search.open(self, reading=True).importance(name)
        return by_variance(self.points(), name)

    def estimate(self, workers: int | None = None) -> Estimate:
        """Say how long what is left will take: from earlier runs of this workspace, or as a guess that says so."""
        from workbench.sweep.estimate import estimate

        return estimate(self, workers or default_workers())

    def export(self, form: Literal["csv", "json", "py"], path: str | Path | None = None) -> str:
        """Return the points as `csv` or `json`, or as `py` the program that reproduces the sweep.

        Args:
            form: One of these.
            path: Where to write it too.

        Raises:
            BadInputError: No such form.
            WorkspaceError: The file cannot be written.
        """
        from workbench.core.workspace import write_atomic
        from workbench.sweep.export import export

        text = export(self, form)
        if path is not None:
            write_atomic(Path(path), text)
        return text

    def verify(self, point: SweepPoint | str) -> Verification:
        """Make a point again without any cache and compare bytes and accuracy.

        Args:
            point: The point, or its label or key.

        Raises:
            BadInputError: It is not of this sweep, or failed.
        """
        from workbench.sweep.verify import verify

        return verify(self, self.point(point) if isinstance(point, str) else point)

    def point(self, name: str) -> SweepPoint:
        """Return a point by its label, or the beginning of its key.

        Raises:
            BadInputError: None or several are meant.
        """
        points = self.points()
        found = [each for each in points if each.label == name] or [
            each for each in points if name and each.key.startswith(name)
        ]
        if len(found) != 1:
            raise BadInputError.of("point", rule="must be the label or key of one point", got=name)
        return found[0]

    def pause(self) -> None:
        """Let it finish what is under way and begin nothing new; `resume` goes on."""
        self.folder.wish("pause")

    def cancel(self) -> None:
        """End its jobs now; finished points stay, and `resume` goes on."""
        self.folder.wish("cancel")

    def resume(
        self,
        *,
        workers: int | None = None,
        retry_failed: bool = False,
        on_point: Callable[[SweepPoint], object] | None = None,
        on_event: Callable[[Event], object] | None = None,
    ) -> Sweep:
        """Go on in this process and return when it ends or is paused; nothing that is finished is made again.

        Args:
            workers: Jobs under way at once; None is one a core.
            retry_failed: Try failed points again.
            on_point: As in `sweep`.
            on_event: As in `sweep`.

        Raises:
            BadInputError: Another process drives it.
            JobCancelledError: Somebody cancelled it.
            WorkspaceError: Data or parent were changed, or the disk refused it.
        """
        from workbench.jobs import here

        if self.state == "done" and not (retry_failed and self.failed()):
            return self
        if workers is not None and workers < 1:
            raise BadInputError.of("workers", rule="must be at least 1", got=workers)
        asked = {"sweep": self.name, "workers": workers or default_workers(), "retry_failed": retry_failed}
        here(STAGE, asked, kind="sweep", workspace=self.workspace, on_event=_telling(on_point, on_event))
        return self

    def wait(self, timeout: float | None = None) -> Sweep:
        """Wait until no process drives it any more.

        Raises:
            TimeoutError: Not within `timeout` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.state == "running":
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(f"{self.name} is still running after {timeout:g} s.")
            time.sleep(_SECONDS_A_LOOK)
        return self

    def rows(self) -> list[dict[str, Any]]:
        """Return each point's label, state and metrics as people read them, for a table."""
        return [
            {"label": point.label, "state": point.state, **{name: shown(point, name) for name in METRICS}}
            for point in self.points()
        ]


def _telling(
    on_point: Callable[[SweepPoint], object] | None, on_event: Callable[[Event], object] | None
) -> Callable[[Event], None]:
    from workbench.core.records import SweepPoint

    def tell(event: Event) -> None:
        if on_event is not None:
            on_event(event)
        if on_point is not None and event.type == "point":
            on_point(SweepPoint.from_json(event.data["point"]))

    return tell
