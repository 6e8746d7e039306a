"""One look at a server after another: what it did, whether it drifts, whom to call."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from workbench.core.records.monitor import MonitorReport
from workbench.jobs.lock import is_held
from workbench.jobs.state import LEASE, standing
from workbench.monitor.alarms import Alarms, LogTarget, default_rules
from workbench.monitor.drift import DriftDetector, DriftSettings
from workbench.monitor.inside import Inside
from workbench.monitor.kept import Kept, read_kept, write_kept
from workbench.monitor.labels import NAME as LABELS
from workbench.monitor.labels import read_labels
from workbench.monitor.live_accuracy import LiveAccuracy
from workbench.monitor.looking import look_until
from workbench.monitor.recent import Condition, RecentCounts, RecentRequests
from workbench.monitor.request_log import Cursor, log_folder, read
from workbench.monitor.seen import Seen
from workbench.monitor.settings import MonitorSettings
from workbench.serve.arrival import SHADOW

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from workbench.core.records import DriftReport, LoggedRequest, Proportion
    from workbench.core.records.monitor import AlarmEvent
    from workbench.monitor.alarms import Rule, Target
    from workbench.monitor.drift import Reference
    from workbench.serve.handle import Sandbox

_LOG = logging.getLogger("workbench.monitor")
_WATCH, _DRIFT = MonitorSettings(), DriftSettings()


class Monitor:
    """Watches one server; `check` is one look, `run` looks until it is stopped.

    What a server notes of its requests (`request_log=True`) tells all; of a server that is known by its URL alone, or
    that notes nothing, its counters tell errors and latency.
    """

    def __init__(  # noqa: PLR0913 - a verb with its options
        self,
        server: Sandbox | str | Path,
        reference: Reference | None = None,
        rules: Sequence[Rule] | None = None,
        targets: Sequence[Target] | None = None,
        *,
        settings: MonitorSettings = _WATCH,
        drift: DriftSettings = _DRIFT,
        model: str = "",
        version: int | None = None,
        after: Cursor | None = None,
        keep: Path | None = None,
    ) -> None:
        """Look at nothing yet.

        Args:
            server: The server, its URL, its run folder, or the folder of its request log.
            reference: What requests are compared with; no drift is looked for without.
            rules: When to call; None is `default_rules()`.
            targets: Whom; None is the log.
            settings: How often and over what.
            drift: How requests are compared.
            model: Model whose requests count; empty is all of a log, and the server's own of counters.
            version: Version whose requests count; None is all.
            after: How far another monitor had read the log; None reads all that is there.
            keep: File that alarms and the place in the log are kept in, so that another monitor goes on from there.

        Raises:
            BadInputError: Two rules have one title.
        """
        self.settings = settings
        self.alarms = Alarms(default_rules() if rules is None else rules)
        self.targets = (LogTarget(),) if targets is None else tuple(targets)
        self._keep, self._kept = keep, read_kept(keep)
        self.alarms.restore(self._kept.raised, self._kept.in_a_row)
        self.cursor = after or self._kept.cursor
        self._server = server
        self._model = model
        self._version = version
        self._recent = RecentRequests(settings)
        self._counts = _counts(server, model, settings)
        self._inside = _inside(server, settings)
        self._detector = None if reference is None else DriftDetector(reference, drift)
        self._accuracy = LiveAccuracy(settings.labelled)
        self._labels: dict[str, tuple[int, ...]] = {}
        self._labels_seen: tuple[int, int] | None = None

    def check(self, now: float | None = None) -> MonitorReport:
        """Look once: read what is new, judge it, tell the targets what changed.

        Args:
            now: Seconds since 1970; None is the time.
        """
        now = time.time() if now is None else now
        seen = self._look(now)
        facts = seen.facts()
        events = self.alarms.observe(facts, time=now, words=seen.words())
        self._tell(events)
        self._keeps()
        return MonitorReport(
            time=now,
            requests=seen.requests,
            facts=facts,
            error_rate=seen.condition.errors,
            p95_ms=seen.condition.p95_ms,
            accuracy=seen.accuracy,
            drift=seen.drift,
            alarms=self.alarms.raised,
            events=events,
        )

    def run(self, stop: threading.Event, on_report: Callable[[MonitorReport], None] | None = None) -> None:
        """Look again and again; what goes wrong in a look is logged, and the next one follows.

        Args:
            stop: Set to end.
            on_report: Called with each look's report, here.
        """
        look_until(stop, self.check, on_report, seconds=self.settings.seconds, log=_LOG)

    def reset(self) -> None:
        """Judge only what comes from now on, e.g. since another version answers; alarms stay as they are."""
        self._recent.reset()
        self._accuracy.reset()
        if self._counts is not None:
            self._counts.reset()
        if self._detector is not None:
            self._detector.reset()

    def close(self) -> None:
        """Let the targets deliver what waits, for a moment."""
        for target in self.targets:
            target.close()

    def _look(self, now: float) -> Seen:
        requests = self._requests()
        condition, count = self._recent.observe(requests, now), len(requests)
        if self._counts is not None:
            condition, count = self._counts.observe(now)
        elif not requests and not _lives(self._server):
            condition = Condition(None, None, is_up=False)
        if not condition.is_up and _was_stopped(self._server):
            condition = Condition(None, None)  # who stops a server in good order is not alarmed
        inside = {} if self._inside is None else self._inside.observe(now)
        return Seen(count, condition, self._right(requests), self._drift(requests, now), inside)

    def _requests(self) -> tuple[LoggedRequest, ...]:
        if _is_url(self._server):
            return ()
        requests, self.cursor = read(self._server, self.cursor)
        return tuple(each for each in requests if self._counted(each))

    def _counted(self, request: LoggedRequest) -> bool:
        return (
            self._model in ("", request.model)
            and self._version in (None, request.version)
            and not request.api.endswith(SHADOW)  # no client saw it
        )

    def _drift(self, requests: tuple[LoggedRequest, ...], now: float) -> DriftReport | None:
        if self._detector is None:
            return None
        reports = [*self._detector.observe(requests)]
        if (overdue := self._detector.due(now)) is not None:
            reports.append(overdue)
        # Of several, what is wrong must not be hidden by what came after it.
        return next((each for each in reversed(reports) if each.alarm), reports[-1] if reports else None)

    def _right(self, requests: tuple[LoggedRequest, ...]) -> Proportion | None:
        self._accuracy.observe(requests)
        news = self._reads_labels()
        if not self._labels or not (news or requests):
            return None
        found = self._accuracy.of(self._labels)
        return found if found is not None and found.total >= self.settings.min_labels else None

    def _reads_labels(self) -> bool:
        """Read the labels again where the file has changed, and say whether it has."""
        if _is_url(self._server):
            return False
        try:
            facts = (log_folder(self._server) / LABELS).stat()
        except OSError:
            return False
        now = facts.st_size, facts.st_mtime_ns
        if now == self._labels_seen:
            return False
        self._labels, self._labels_seen = read_labels(self._server), now
        return True

    def _keeps(self) -> None:
        if self._keep is None:
            return
        raised = dict.fromkeys(self.alarms.raised, True)
        kept = Kept(cursor=self.cursor, raised=raised, in_a_row=self.alarms.in_a_row)
        if kept != self._kept:
            write_kept(self._keep, kept)
            self._kept = kept

    def _tell(self, events: Sequence[AlarmEvent]) -> None:
        for event in events:
            for target in self.targets:
                try:
                    target.send(event)
                except Exception:  # noqa: BLE001 - a target may be of anybody's making
                    _LOG.exception("An alarm could not be told.")


def _is_url(server: object) -> bool:
    return isinstance(server, str) and server.startswith(("http://", "https://"))


def _lives(server: Sandbox | str | Path) -> bool:
    """Say whether the server of a log is there; a log that is no server's is taken for one."""
    lease = log_folder(server).parent / LEASE
    return not lease.exists() or is_held(lease)


def _was_stopped(server: Sandbox | str | Path) -> bool:
    """Say whether a server of this machine ended in good order."""
    return not _is_url(server) and standing(log_folder(server).parent).state == "done"


def _counts(server: Sandbox | str | Path, model: str, settings: MonitorSettings) -> RecentCounts | None:
    from workbench.serve.handle import Sandbox

    if isinstance(server, Sandbox):
        notes = server.settings.request_log is not None
        return None if notes else RecentCounts(server, model or server.name, settings)
    return RecentCounts(str(server), model or "model", settings) if _is_url(server) else None


def _inside(server: Sandbox | str | Path, settings: MonitorSettings) -> Inside | None:
    from workbench.serve.handle import Sandbox

    return Inside(server, settings) if isinstance(server, Sandbox) else None
