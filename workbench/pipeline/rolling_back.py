"""Go back to the version before, where there is one that never did badly, and not too often."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from workbench.core.errors import ServingError
from workbench.core.records.loop import PastRollback
from workbench.pipeline.past_rollbacks import NAME, PastRollbacks
from workbench.serve.store.labels import STABLE

if TYPE_CHECKING:
    from workbench.pipeline.reactions import ReactionSettings
    from workbench.serve.handle import Sandbox
    from workbench.serve.store import Store

BY = "loop"


class RefusedError(Exception):
    """A bound says no; the sentence says which."""


class RollingBack:
    """Rollbacks of one server's model."""

    def __init__(self, server: Sandbox, store: Store, settings: ReactionSettings) -> None:
        """Know the bounds.

        Args:
            server: Whose model.
            store: Where its versions lie.
            settings: How often, and for how long an alarm is a version's fault.
        """
        self._server = server
        self._store = store
        self._settings = settings
        self._past = PastRollbacks(store.base / server.name / NAME)

    def go(self, why: str, now: float) -> int:
        """Let the version before answer, and return its number; of a rollout that runs, end it instead.

        Args:
            why: For the store's history.
            now: Seconds since 1970.

        Raises:
            RefusedError: A bound is reached, or there is no version to go to.
            WorkbenchError: The server or the disk refused it.
        """
        past = self._past.read()
        self._require_time(past, now)
        trial = self._trial()
        if trial is None:
            answering = self._server.answering
            self._require_blame(answering, past, now)
            target = self._before(answering, past)
        else:
            answering, target = trial
        begun = PastRollback(time=now, version=answering, to=target)
        self._past.begin(begun)
        if trial is None:
            self._server.rollback(to=target, why=why, by=BY)
        else:
            self._server.abort(why, by=BY)
        self._past.finish(begun)
        return target

    def _trial(self) -> tuple[int, int] | None:
        """Return the new and the old version of a rollout that runs."""
        with suppress(ServingError):  # there was none
            report = self._server.comparison()
            if report.state == "running":
                return report.canary.version, report.stable.version
        return None

    def _require_time(self, past: tuple[PastRollback, ...], now: float) -> None:
        # One in the future, of a clock that was set back, counts: what bounds a loop fails on the safe side.
        recent = sum(now - each.time < self._settings.within_seconds for each in past)
        if recent >= self._settings.max_rollbacks:
            raise RefusedError(
                f"{recent} rollbacks in {self._settings.within_seconds:g} s are as many as max_rollbacks allows."
            )

    def _require_blame(self, answering: int, past: tuple[PastRollback, ...], now: float) -> None:
        if any(each.done and each.version == answering for each in past):
            raise RefusedError(f"Version {answering} was rolled back from before, and somebody brought it back.")
        since = self._since(answering)
        if since is not None and now - since > self._settings.blame_seconds:
            raise RefusedError(
                f"Version {answering} has answered for more than {self._settings.blame_seconds:g} s: "
                "that things go wrong now is hardly its fault."
            )

    def _since(self, version: int) -> float | None:
        """Return when a version began to answer, as far as the store tells."""
        times = [
            each.time
            for each in self._store.history(self._server.name)
            if each.version == version and (each.action == "publish" or each.label == STABLE)
        ]
        return datetime.fromisoformat(times[-1]).timestamp() if times else None

    def _before(self, answering: int, past: tuple[PastRollback, ...]) -> int:
        """Return the version that was stable last and never did badly; where none ever was, the newest before.

        Raises:
            RefusedError: There is none.
        """
        name = self._server.name
        bad = {answering, *(each.version for each in past)}
        known = self._store.versions(name)
        stable = [each.version for each in self._store.history(name) if each.label == STABLE]
        for version in reversed(stable or sorted(version for version in known if version < answering)):
            if version in known and version not in bad:
                return version
        others = ", ".join(str(version) for version in sorted(bad - {answering}) if version in known)
        raise RefusedError(
            f"Version {answering} does badly, and there is no version to go back to"
            f"{f' that did not ({others} did)' if others else ''}: publish a good one."
        )
