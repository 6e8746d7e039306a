"""The way back as a standing loop: an alarm, and what is done about it, for as long as a server runs."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError, ServingError, WorkbenchError
from workbench.core.records.loop import LoopEvent, LoopReport
from workbench.core.workspace import Workspace
from workbench.monitor.looking import look_until
from workbench.pipeline.hard_set import HardSet, hard_set
from workbench.pipeline.reactions import ReactionSettings
from workbench.pipeline.relearning import Relearning
from workbench.pipeline.rolling_back import BY, RefusedError, RollingBack
from workbench.serve.handle import Sandbox
from workbench.serve.rollout.settings import RolloutRule
from workbench.serve.store import Store

if TYPE_CHECKING:
    import os
    import threading
    from collections.abc import Callable
    from pathlib import Path

    from workbench.core.records import MonitorReport, RetrainReport
    from workbench.core.records.loop import LoopAct
    from workbench.datasets import Dataset
    from workbench.evaluate.gate import Gate
    from workbench.monitor.alarms import Rule
    from workbench.monitor.watch import Monitor
    from workbench.pipeline.budget import RetrainBudget

_LOG = logging.getLogger("workbench.pipeline")
_VERSION = ("error_rate", "p95_ms", "accuracy")  # what a version can be to blame for
_INPUTS = ("input", "embedding")
_ALL = 100.0
# What has learnt the new inputs must not be held to what the other says of them.
_AFTER_DRIFT = RolloutRule(min_agreement=0.0)


class Loop:
    """Watches a server and reacts; `step` is one look, `run` looks until it is stopped.

    Errors, latency or accuracy that break a rule soon after a version began to answer lead back to the version before;
    inputs that drift lead to a retraining, whose model is tried on live requests if it passes its gate. A version that
    was rolled back from is not gone back to, and no bound is forgotten when the loop is started anew.
    """

    def __init__(  # noqa: PLR0913 - who is watched, what may be done, and with what
        self,
        server: Sandbox | str | Path,
        monitor: Monitor,
        settings: ReactionSettings | None = None,
        *,
        hard: HardSet | str | None = None,
        dataset: str | os.PathLike[str] | Dataset | None = None,
        gate: Gate | None = None,
        budget: RetrainBudget | None = None,
        rule: RolloutRule = _AFTER_DRIFT,
        workspace: Workspace | None = None,
    ) -> None:
        """Do nothing yet.

        Args:
            server: Who is watched: a handle, as a URL or a folder can only be watched; its model is of the store.
            monitor: Watches it; its rules say when something is done.
            settings: What may be done, and how often; the usual where None.
            hard: The hard set or its name; without it nothing is retrained.
            dataset: The old data, which a retraining needs.
            gate: What a retrained model must pass; None is what the dataset declares.
            budget: How often may be retrained; the usual where None.
            rule: Decides over the retrained version on live requests.
            workspace: Where store and hard set lie; None is the default one.

        Raises:
            BadInputError: It is no server of this computer, its model is not in the store, or only one of `hard` and
                `dataset` is given.
        """
        place = Workspace.of(workspace)
        if not isinstance(server, Sandbox):
            raise BadInputError.of("server", rule="must be a server that was started or attached to", got=server,
                                   hint="`attach_server(name)` gives one; a URL can only be watched")  # fmt: skip
        store = Store.of(place)
        if not store.versions(server.name):
            raise BadInputError.of("server", rule=f"must serve a model of the store {store.base}", got=server.name,
                                   hint="give workspace= the one that it was served from")  # fmt: skip
        if (hard is None) != (dataset is None):
            missing = "hard" if hard is None else "dataset"
            raise BadInputError.of(missing, rule="must be given with the other of hard and dataset", got=None)
        self.settings = settings or ReactionSettings()
        self.monitor = monitor
        self._server = server
        self._rolling_back = RollingBack(server, store, self.settings)
        self._relearning: Relearning | None = None
        if hard is not None and dataset is not None:
            kept = hard if isinstance(hard, HardSet) else hard_set(hard, workspace=place)
            self._relearning = Relearning(server.name, dataset, kept, gate=gate, budget=budget, workspace=place)
        self._rule = rule
        self._settles_until: float | None = None
        self._has_looked = False
        self._trial: tuple[int, str] | None = None
        self._broken: dict[str, int] = {}
        self._told: set[tuple[str, str]] = set()

    def step(self, now: float | None = None) -> LoopReport:
        """Look once, and do what is to be done; what goes wrong in that is an event. The first look does nothing.

        Args:
            now: Seconds since 1970; None is the time.
        """
        now = time.time() if now is None else now
        if self._settles_until is not None and now >= self._settles_until:
            self._judge_anew()
            self._settles_until = None
        report = self.monitor.check(now)
        if not self._has_looked:  # what was noted before the loop began may be of a version that answers no more
            self._judge_anew()
            self._has_looked = True
            return LoopReport(monitor=report)
        for event in report.events:
            if event.state == "cleared":
                self._forget(event.rule)
        events = [*self._trained(now), *self._tried(now)]
        # A version that does badly first: what it answers is nothing to retrain by.
        rules = sorted(self.monitor.alarms.rules, key=lambda rule: rule.metric not in _VERSION)
        for rule in rules:
            if self._settles_until is None and self._calls(rule, report):
                events += self._react(rule, report, now)
        return LoopReport(
            monitor=report,
            events=tuple(events),
            settling=self._settles_until is not None,
            retraining=self._relearning is not None and self._relearning.runs,
        )

    def run(self, stop: threading.Event, on_report: Callable[[LoopReport], object] | None = None) -> None:
        """Look again and again; what goes wrong in a look is logged, and the next one follows.

        Args:
            stop: Set to end.
            on_report: Called with each look's report, here.
        """
        look_until(stop, self.step, on_report, seconds=self.monitor.settings.seconds, log=_LOG)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until no retraining runs, and tell whether that is so; the next `step` tells what came of it."""
        return self._relearning is None or self._relearning.wait(seconds)

    def close(self) -> None:
        """Let the monitor's targets deliver what waits; a retraining that runs is not waited for."""
        self.monitor.close()

    def _calls(self, rule: Rule, report: MonitorReport) -> bool:
        """Tell whether a raised rule was broken often enough since the last reaction."""
        value = report.facts.get(rule.metric)
        if value is None:
            return False
        self._broken[rule.title] = self._broken.get(rule.title, 0) + 1 if rule.breaks(value) else 0
        return rule.title in report.alarms and self._broken[rule.title] >= rule.for_windows

    def _react(self, rule: Rule, report: MonitorReport, now: float) -> list[LoopEvent]:
        try:
            if rule.metric in _VERSION:
                return self._roll_back(rule, report, now) if self.settings.roll_back else []
            if rule.metric == "drift":
                return self._retrain(rule, report, now) if self.settings.retrain else []
        except RefusedError as error:
            return self._once(rule.title, "refused", str(error), now)
        except WorkbenchError as error:
            self._settle(now)
            return self._once(rule.title, "failed", str(error), now)
        except Exception as error:  # noqa: BLE001 - the watch goes on, whatever it was
            _LOG.exception("A reaction failed.")
            self._settle(now)
            return self._once(rule.title, "failed", f"{type(error).__name__}: {error}", now)
        return []

    def _roll_back(self, rule: Rule, report: MonitorReport, now: float) -> list[LoopEvent]:
        if rule.metric == "error_rate" and report.error_rate is None:
            return []  # it does not answer at all, no version of it would
        words = f"{rule.metric} is {report.facts[rule.metric]:.4g}, {rule.direction} {rule.limit:g}"
        version = self._rolling_back.go(words, now)
        self._trial = None
        self._settle(now)
        return [_event(now, "rolled_back", rule.title, f"Version {version} answers again: {words}.", version)]

    def _retrain(self, rule: Rule, report: MonitorReport, now: float) -> list[LoopEvent]:
        drift = report.drift
        if drift is not None and not any(test.alarm and test.family in _INPUTS for test in drift.tests):
            return self._once(
                rule.title, "refused", "Answers changed and inputs did not: that is no case for a retraining.", now
            )
        if self._relearning is None:
            return self._once(
                rule.title, "refused", "Inputs drift, and there is no hard set: give one to have it retrained.", now
            )
        if self._trial is None:
            self._relearning.start(rule.title)
        return []

    def _trained(self, now: float) -> list[LoopEvent]:
        """Tell what a retraining has come to, and let what passed be tried."""
        work = self._relearning
        if work is None:
            return []
        outcome, events = work.outcome(), []
        if work.has_begun():
            events += [_event(now, "retraining", work.rule, "Inputs drift: a retraining with the hard set has begun.")]
        if isinstance(outcome, BadInputError):
            events += self._once(work.rule, "refused", str(outcome), now, key="retraining")
        elif isinstance(outcome, Exception):
            events += [_event(now, "failed", work.rule, f"The retraining failed: {outcome}")]
        elif outcome is not None:
            events += self._publish(outcome, work.rule, now)
        return events

    def _publish(self, report: RetrainReport, rule: str, now: float) -> list[LoopEvent]:
        done = report.published
        if done is None:
            return [_event(now, "failed", rule, f"What was retrained is not published: {report.verdict.reasons}")]
        percent = self.settings.canary_percent
        try:
            asked: dict[str, Any] = {"percent": percent, "rule": None if percent == _ALL else self._rule, "by": BY}
            self._server.rollout(done.version, **asked)
            if percent == _ALL:
                self._server.promote("it passed its gate", by=BY)
        except WorkbenchError as error:
            words = f"Version {done.version} passed its gate, and could not be rolled out: {error}"
            return [_event(now, "failed", rule, words, done.version)]
        self._settle(now)
        told = "answers" if percent == _ALL else f"is tried on {percent:g} % of the requests"
        self._trial = None if percent == _ALL else (done.version, rule)
        words = f"Version {done.version} has learnt the hard set, passed its gate and {told}."
        return [_event(now, "published", rule, words, done.version)]

    def _tried(self, now: float) -> list[LoopEvent]:
        """Tell how the trial of a retrained version ended."""
        if self._trial is None:
            return []
        version, rule = self._trial
        try:
            report = self._server.comparison()
        except ServingError:  # it may answer again in the next look
            return []
        if report.state == "running" and report.canary.version == version:
            return []
        self._trial = None
        self._settle(now)
        if report.state == "running" or report.canary.version != version:
            return []  # somebody has begun another one
        kept = report.canary.version if report.state == "promoted" else report.stable.version
        return [_event(now, report.state, rule, f"The trial of version {version} is over: {report.reason}.", kept)]

    def _once(self, rule: str, act: LoopAct, words: str, now: float, *, key: str = "") -> list[LoopEvent]:
        """Return an event the first time that it is said of an alarm."""
        said = (rule, key or words)
        if said in self._told:
            return []
        self._told.add(said)
        return [_event(now, act, rule, words)]

    def _forget(self, rule: str) -> None:
        self._told = {said for said in self._told if said[0] != rule}
        if self._relearning is not None and self._relearning.rule == rule:
            self._relearning.forget()

    def _settle(self, now: float) -> None:
        self._judge_anew()
        self._settles_until = now + self.settings.settle_seconds

    def _judge_anew(self) -> None:
        self.monitor.reset()
        self._broken.clear()


def _event(now: float, act: LoopAct, rule: str, words: str, version: int | None = None) -> LoopEvent:
    _LOG.info("loop: %s: %s", act, words)
    return LoopEvent(time=now, act=act, rule=rule, words=words, version=version)
