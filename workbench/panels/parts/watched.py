"""One server as it is watched: a monitor that looks, and rates from what the server counts."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.core.errors import WorkbenchError
from workbench.monitor.request_log import Cursor, log_folder
from workbench.monitor.watch import Monitor
from workbench.panels.parts.monitor_plan import drift_settings, rules_of, watch_settings
from workbench.pipeline.loop import Loop
from workbench.pipeline.reactions import ReactionSettings
from workbench.serve.request_log.files import numbered

if TYPE_CHECKING:
    from workbench.core.records import DriftReport, ServingStats
    from workbench.core.records.loop import LoopEvent
    from workbench.core.records.monitor import MonitorReport
    from workbench.core.records.store import StoreChange
    from workbench.core.workspace import Workspace
    from workbench.monitor.drift import Reference
    from workbench.serve.handle import Sandbox

_MOST_BYTES = 256 * 1024  # of each worker's past that is read at first
_MOST_POINTS = 600
_REACTIONS = ReactionSettings(retrain=False)  # a retraining takes a hard set, and longer than a page is looked at


class Point(NamedTuple):
    """What one look measured; None where there is nothing new.

    Attributes:
        time: Seconds since 1970.
        requests: Requests a second since the look before.
        errors: Failed ones a second.
        p50: Median of the last answers, ms.
        p95: 95 of a hundred were not slower.
        p99: 99 of a hundred.
    """

    time: float
    requests: float | None
    errors: float | None
    p50: float | None
    p95: float | None
    p99: float | None


class Look(NamedTuple):
    """What one look found."""

    state: str
    report: MonitorReport
    done: tuple[LoopEvent, ...]
    stats: ServingStats | None
    history: tuple[StoreChange, ...]


class Watched:
    """A server and everything that was seen of it; `look` blocks, the rest is for the page.

    Attributes:
        server: Which.
        points: What was measured, the oldest first.
        drift: The last window that was compared.
        reference: What it is compared with; None where drift is not looked for, or not yet.
    """

    def __init__(
        self, server: Sandbox, plan: dict[str, Any], workspace: Workspace, reference: Reference | None = None
    ) -> None:
        """Look at nothing yet.

        Args:
            server: Which.
            plan: Values of a `MonitorPlan`.
            workspace: Whose store it serves from.
            reference: What requests are compared with.

        Raises:
            BadInputError: Two rules are one, or what it serves is not in the store and it was asked to react.
        """
        self.server = server
        self.points: deque[Point] = deque(maxlen=_MOST_POINTS)
        self.drift: DriftReport | None = None
        self.reference = reference
        self._before: tuple[float, ServingStats] | None = None
        self._monitor = Monitor(
            server,
            reference,
            rules_of(plan),
            [],
            settings=watch_settings(plan),
            drift=drift_settings(plan),
            after=_near_the_end(server),
        )
        self._loop = Loop(server, self._monitor, _REACTIONS, workspace=workspace) if plan["react"] else None

    @property
    def notes_requests(self) -> bool:
        """Whether the server notes what it is asked, which drift is judged by."""
        return self.server.settings.request_log is not None

    @property
    def raised(self) -> tuple[str, ...]:
        """Titles of the rules that are broken now."""
        return self._monitor.alarms.raised

    def look(self) -> Look:
        """Look once; blocks.

        Raises:
            WorkbenchError: The store's labels are damaged.
        """
        done: tuple[LoopEvent, ...] = ()
        if self._loop is None:
            report = self._monitor.check()
        else:
            whole = self._loop.step()
            report, done = whole.monitor, whole.events
        try:
            stats = self.server.stats() if self.server.state == "ready" else None
        except WorkbenchError:
            stats = None
        return Look(self.server.state, report, done, stats, self.server.store.history(self.server.name))

    def take_in(self, look: Look) -> Point:
        """Keep what a look found, and return what is new of it."""
        if look.report.drift is not None:
            self.drift = look.report.drift
        point = self._point(look.report.time, look.stats)
        self.points.append(point)
        return point

    def _point(self, now: float, stats: ServingStats | None) -> Point:
        if stats is None:
            self._before = None
            return Point(now, None, None, None, None, None)
        before, self._before = self._before, (now, stats)
        if before is None or stats.requests < before[1].requests or now <= before[0]:
            return Point(now, None, None, stats.p50_ms, stats.p95_ms, stats.p99_ms)
        then, counted = before
        rates = [
            (a - b) / (now - then) for a, b in ((stats.requests, counted.requests), (stats.errors, counted.errors))
        ]
        return Point(now, rates[0], rates[1], stats.p50_ms, stats.p95_ms, stats.p99_ms)


def _near_the_end(server: Sandbox) -> Cursor:
    """Return a place in the request log from which on there is not more than a window's worth of the past."""
    files = {}
    for worker, by_number in numbered(log_folder(server)).items():
        last = max(by_number, default=None)
        if last is not None:
            files[str(worker)] = (last, max(by_number[last].stat().st_size - _MOST_BYTES, 0))
    return Cursor(files=files)
