"""Drive a sweep: ask for jobs as cores allow, write each point as it is finished, obey pause and cancel."""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from workbench.core.errors import JobCancelledError, WorkbenchError, WorkspaceError
from workbench.core.records import SweepPoint
from workbench.jobs import lock
from workbench.sweep import cache
from workbench.sweep.graph import Node, graph
from workbench.sweep.pool import work_off

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from workbench.jobs import StageContext
    from workbench.sweep.bench import Bench
    from workbench.sweep.folder import SweepFolder
    from workbench.sweep.plan import Plan

_SECONDS_FOR_TIMING = 3600.0


@dataclass
class Driver:
    """One process' turn at a sweep.

    Attributes:
        folder: The sweep.
        bench: Makes and measures.
        context: The run that this turn is.
        workers: Pieces of work under way at once.
        total: Points of the whole sweep, for the progress.
        seconds: What was estimated for what is left.
        retry_failed: Whether points that failed are tried again.
        points: What is finished, by key.
    """

    folder: SweepFolder
    bench: Bench
    context: StageContext
    workers: int
    total: int = 0
    seconds: float = 0.0
    retry_failed: bool = False
    points: dict[str, SweepPoint] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)
    _made_here: int = 0

    def __post_init__(self) -> None:
        found = self.folder.points()
        self.points = {
            key: point for key, point in found.items() if not (self.retry_failed and point.state == "failed")
        }

    def paused(self) -> bool:
        """Say whether somebody wants it to rest after what is under way."""
        return self.folder.wished("pause")

    def run(self, plans: Sequence[Plan]) -> list[SweepPoint]:
        """Make, measure and time points; those that are finished are taken as they are.

        Returns:
            The points that there are now; fewer than were asked for where it was paused.

        Raises:
            JobCancelledError: It was cancelled.
            WorkspaceError: The disk refused a point, or a file is damaged.
        """
        for plan in plans:
            if plan.key not in self.points and (known := cache.find(self.bench.workspace, plan)) is not None:
                self._keep(known)
        for plan in plans:
            if plan.refused and plan.key not in self.points:
                self._keep(SweepPoint(**plan.facts, state="failed", reason=plan.refused))
        todo = [plan for plan in plans if plan.key not in self.points]
        try:
            self._make(todo)
            self._time([plan.key for plan in plans])
        except BaseException:
            self.bench.waiting.cancel()
            raise
        return [self.points[plan.key] for plan in plans if plan.key in self.points]

    def _make(self, plans: Sequence[Plan]) -> None:
        nodes = graph(plans)
        queue = _Queue()
        if nodes and self.bench.parent is not None:
            queue.push(partial(self.bench.baseline, self.bench.parent), None, depth=0)
        for node in nodes:
            if node.before is None:
                queue.push(partial(self.bench.make, node), node, depth=node.depth)
        work_off(
            self.workers,
            lambda _: queue.pop() if queue and not self.paused() else None,
            lambda future, what: self._ended(future, what, queue),
            look=self._obey,
            cancel=self.bench.waiting.cancel,
        )

    def _ended(self, future: Future[Any], what: Node | Plan | None, queue: _Queue) -> None:
        error = future.exception()
        if error is not None:
            self._failed(error, what)
        elif isinstance(what, Node):
            for node in what.after:
                queue.push(partial(self.bench.make, node), node, depth=node.depth)
            for plan in what.plans:
                queue.push(partial(self.bench.measure, plan, what), plan, depth=what.depth + 1)
        elif what is not None:
            self._keep(future.result())

    def _failed(self, error: BaseException, what: Node | Plan | None) -> None:
        if not isinstance(error, Exception) or isinstance(error, WorkspaceError) or what is None:
            raise error
        if self.bench.waiting.stop.is_set():
            raise JobCancelledError(f"{self.folder.name} was cancelled.") from error
        reason = str(error) if isinstance(error, WorkbenchError) else f"{type(error).__name__}: {error}"
        for plan in what.waiting() if isinstance(what, Node) else [what]:
            self._keep(SweepPoint(**plan.facts, state="failed", reason=reason))

    def _time(self, keys: Sequence[str]) -> None:
        waiting = [key for key in keys if key in self.points and self.points[key].state == "made"]
        if not waiting or self.paused():
            return
        # Sweeps of one workspace take turns.
        with lock.locked(self.bench.workspace.sweeps / ".timing", timeout=_SECONDS_FOR_TIMING):
            circumstances = self.bench.circumstances()
            for key in waiting:
                self._obey()
                if self.paused():
                    return
                point = self.bench.timed(self.points[key], circumstances)
                self._keep(point)
                cache.remember(self.bench.workspace, point)

    def _keep(self, point: SweepPoint) -> None:
        self.folder.append(point)
        self._made_here += point.key not in self.points
        self.points[point.key] = point
        self.context.emit("point", point=point.to_json())
        self.context.emit(
            "progress", done=len(self.points), total=max(self.total, len(self.points)), label=point.label,
            seconds_left=self._seconds_left(),
        )  # fmt: skip

    def _seconds_left(self) -> float:
        left = max(0, self.total - len(self.points))
        if not self._made_here:
            return round(self.seconds, 1)
        return round((time.monotonic() - self._began) / self._made_here * left, 1)

    def _obey(self) -> None:
        self.folder.obey(self.context.folder)


class _Queue:
    """What can be begun now; what is nearest to a finished point first, so that the frontier grows early."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Callable[[], Any], Node | Plan | None]] = []
        self._number: Iterator[int] = count()

    def push(self, work: Callable[[], Any], what: Node | Plan | None, *, depth: int) -> None:
        heapq.heappush(self._heap, (-depth, next(self._number), work, what))

    def pop(self) -> tuple[Callable[[], Any], Node | Plan | None]:
        return heapq.heappop(self._heap)[2:]

    def __bool__(self) -> bool:
        return bool(self._heap)
