"""A sweep as people see it: a handle to its folder, good in any process."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from workbench.core.checks import require_flag
from workbench.core.errors import BadInputError
from workbench.sweep.folder import SweepFolder, sweep_folders
from workbench.sweep.importance import by_variance
from workbench.sweep.listening import telling
from workbench.sweep.metrics import metric_name
from workbench.sweep.results import Results
from workbench.sweep.settings import require_workers

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.events import Event
    from workbench.core.records import Estimate, SweepPoint, Verification
    from workbench.core.workspace import Workspace
    from workbench.jobs import Job

STAGE = "workbench.sweep.run:run"
_SECONDS_A_LOOK = 0.1


@dataclass(frozen=True)
class Sweep(Results):
    """One sweep. It holds nothing but the folder; everything is read from there when it is asked."""

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
    def run(self) -> Job | None:
        """The run of its last turn, whose events a panel may follow; None before the first."""
        from workbench.core.errors import WorkbenchError
        from workbench.jobs import attach

        try:
            return attach(str(self.folder.ending()["run"]), self.workspace)
        except (WorkbenchError, KeyError, TypeError):
            return None

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
            from workbench.sweep.point_proposer import PointProposer

            return PointProposer.open(self, reading=True).importance(name)
        return by_variance(self.points(), name)

    def estimate(self, workers: int | None = None) -> Estimate:
        """Say how long what is left will take: from earlier runs of this workspace, or as a guess that says so."""
        from workbench.sweep.estimate import estimate

        return estimate(self, require_workers(workers))

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

        text = self._program() if form == "py" else export(self, form)
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

        require_flag("retry_failed", retry_failed)
        if self.state == "done" and not self._lost_points() and not (retry_failed and self.failed()):
            return self
        if not retry_failed and self._answered(on_point):
            return self
        asked = {"sweep": self.name, "workers": require_workers(workers), "retry_failed": retry_failed}
        here(STAGE, asked, kind="sweep", workspace=self.workspace, on_event=telling(on_point, on_event))
        return self

    def _program(self) -> str:
        from workbench.sweep.program import sweep_program

        return sweep_program(self)

    def _lost_points(self) -> bool:
        """Say whether it lacks points that were finished: their file was damaged or deleted."""
        held = self.folder.points()
        # What Optuna proposed is in its journal, which is not opened for this.
        return len(held) < self.folder.finished or any(plan.key not in held for plan in self.plans())

    def _answered(self, on_point: Callable[[SweepPoint], object] | None) -> bool:
        """Take over what other sweeps have measured; True where that is all, so that nothing need be driven."""
        from workbench.sweep import cache

        held = self.folder.points()
        missing = [plan for plan in self.plans() if plan.key not in held]
        known = [found for plan in missing if (found := cache.find(self.workspace, plan)) is not None]
        unfinished = any(point.state == "made" for point in held.values())
        if self.settings.search == "optuna" or unfinished or len(known) < len(missing):
            return False
        with self.folder.driving():
            for point in known:
                self.folder.append(point)
                if on_point is not None:
                    on_point(point)
            self.folder.say("done", "")
        return True

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
