"""A rollout from its beginning to its end, for all workers: what a supervisor is asked, and what a rule decides."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any, Literal

from workbench.core.errors import BadInputError, ServingError, WorkbenchError
from workbench.serve.rollout.books import Books
from workbench.serve.rollout.route import Route
from workbench.serve.rollout.rule import decide
from workbench.serve.rollout.tally import added

if TYPE_CHECKING:
    from workbench.core.records.rollout import RolloutReport
    from workbench.core.records.store import Override
    from workbench.serve.catalogue import Catalogue
    from workbench.serve.rollout.settings import RolloutSettings
    from workbench.serve.store import Store
    from workbench.serve.supervision.supervisor import Supervisor

_LOOK_SECONDS = 1.0  # a worker that is killed takes as much of what it counted with it

_log = logging.getLogger(__name__)


class Director:
    """Rolls one model's versions out; its calls belong to the supervisor's event loop."""

    def __init__(self, supervisor: Supervisor, catalogue: Catalogue, store: Store, name: str) -> None:
        self._supervisor = supervisor
        self._catalogue = catalogue
        self._books = Books(store, name)
        self._name = name
        self._route: Route | None = None
        self._asked: RolloutSettings | None = None
        self._seen: dict[int, dict[str, Any]] = {}
        self._last: RolloutReport | None = None
        self._note = ""
        self._changing = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None

    async def begin(self, version: int, asked: RolloutSettings, by: str = "") -> RolloutReport:
        """Try a version beside the one that answers, and return when all workers do.

        Raises:
            BadInputError: There is no such version, or no other that answers.
            ServingError: Another rollout runs, or the version cannot be served; all is as before then.
        """
        async with self._changing:
            if self._running:
                raise ServingError(f"a rollout of {self._name} runs already; call promote() or abort() first.")
            stable = await self._stable(version)
            before = self._route
            route = Route(
                stable=stable, canary=version, percent=asked.percent, shadow=asked.shadow, sticky=asked.sticky,
                pairs_percent=asked.pairs_percent,
            )  # fmt: skip
            # All is the stable version's first: the new one may not take every request by being the newest.
            await self._send(route.replace(percent=0.0, pairs_percent=0.0))
            await self._bring(stable, version, before)
            kind = "a shadow" if asked.shadow else "requests"
            self._note = await asyncio.to_thread(self._books.begin, version, f"{kind}, {asked.percent:g} %", by)
            await self._supervisor.reload()  # so that it answers to its label
            self._asked, self._seen, self._last = asked, {}, None
            await self._send(route)
            self._watching = asyncio.create_task(self._watch())
            _log.info(
                "%s: version %d is rolled out beside %d, %s %g %%", self._name, version, stable, kind, asked.percent
            )
            return await self._report()

    async def report(self) -> RolloutReport:
        """Return how the rollout stands, or how the last one ended.

        Raises:
            ServingError: There was none.
        """
        if self._asked is not None and not self._running:
            async with self._changing:  # it ends just now
                pass
        return self._last if self._last is not None else await self._report()

    async def promote(self, why: str = "", by: str = "", override: Override | None = None) -> RolloutReport:
        """Let the new version answer all requests, and return when all workers do.

        Raises:
            ServingError: No rollout runs, or the store does not call it stable; the rollout goes on then.
        """
        async with self._changing:
            report = await self._report()
            note = await asyncio.to_thread(self._books.promote, report.canary.version, why, by, override)
            return await self._end("promoted", report, report.canary.version, report.stable.version, why, note)

    async def abort(self, why: str = "", by: str = "") -> RolloutReport:
        """Let the stable version answer all requests, and return when all workers do.

        Raises:
            ServingError: No rollout runs.
        """
        async with self._changing:
            report = await self._report()
            await self._settle_route(report.stable.version)  # nobody waits for the store
            note = await asyncio.to_thread(self._books.abort, why, by)
            return await self._end("aborted", report, report.stable.version, report.canary.version, why, note)

    async def rollback(self, to: int | None = None, why: str = "", by: str = "") -> int:
        """Let an earlier version answer all requests, and return its number when all workers do.

        A rollout that runs is aborted where no version is named.

        Raises:
            BadInputError: There is no such version, or none that was stable before.
            ServingError: It cannot be served; all is as before then.
        """
        if self._running and to is None:
            return (await self.abort(why, by)).stable.version
        async with self._changing:
            if self._running:
                raise ServingError(f"a rollout of {self._name} runs; call abort() first, or roll back without `to`.")
            answering = self.answering
            target = await self._earlier(to, answering)
            await self._bring(answering, target, self._route)
            await self._settle_route(target)  # nobody waits for the store
            try:
                note = await asyncio.to_thread(self._books.rollback, target, why, by)
            except WorkbenchError as error:
                note = str(error)
            self._catalogue.settle(target, answering)
            await self._supervisor.reload()
            _log.warning(
                "%s: rolled back from version %d to %d: %s", self._name, answering, target,
                "; ".join(each for each in (why or "by hand", note) if each),
            )  # fmt: skip
            return target

    @property
    def _running(self) -> bool:
        return self._asked is not None and self._route is not None and self._route.canary is not None

    async def _stable(self, canary: int) -> int:
        published = await asyncio.to_thread(self._books.versions)
        if canary not in published:
            raise BadInputError.of(
                "version", rule=f"must be a version of {self._name} in the store", got=canary,
                hint=f"there are {', '.join(map(str, published))}",
            )  # fmt: skip
        available = [version for version in self._available() if version != canary]
        labelled = await asyncio.to_thread(self._books.stable)
        settled = self._route.stable if self._route is not None else None
        newer = self._route is not None and max(available, default=0) > (self._route.until or 0)
        for version in (labelled, None if newer else settled, max(available, default=None)):
            if version in available:
                return version
        raise BadInputError.of(
            "version", rule="must be tried beside another version that answers", got=canary,
            hint="publish the new version with `sandbox.rollout(artifact)`, not with `sandbox.publish`",
        )  # fmt: skip

    @property
    def answering(self) -> int:
        """The version that answers who names none."""
        available = self._available()
        newest = max(available, default=0)
        if self._route is not None and self._route.stable in available and newest <= (self._route.until or newest):
            return self._route.stable
        return newest

    async def _earlier(self, to: int | None, answering: int) -> int:
        published = await asyncio.to_thread(self._books.versions)
        target = await asyncio.to_thread(self._books.before) if to is None else to
        if target is None:  # nothing was ever called stable
            target = max((version for version in published if version < answering), default=None)
        if target is None or target not in published or target == answering:
            others = ", ".join(str(version) for version in published if version != answering)
            raise BadInputError.of(
                "to", rule=f"must be a version of {self._name} beside the one that answers ({answering})", got=to,
                hint=f"there are {others}" if others else "publish one first",
            )  # fmt: skip
        return target

    async def _bring(self, stable: int, other: int, before: Route | None) -> None:
        """Serve a version beside the one that answers; where it cannot be, all is as before."""
        versions = self._catalogue.versions
        self._catalogue.stage(stable, other)
        try:
            await self._load(stable, other)
        except BaseException:
            self._catalogue.unstage(versions)
            await self._supervisor.reload()
            await self._send(before)
            raise

    async def _load(self, stable: int, canary: int) -> None:
        done, error = await self._supervisor.reload()
        if canary not in self._available():
            reasons = [one.reason for one in done.refused if one.version == canary]
            raise ServingError(reasons[0] if reasons else error or f"version {canary} cannot be served.")
        if refusal := await self._supervisor.fleet.refusal(self._name, stable, canary):
            raise ServingError(f"the versions do not take the same requests: {refusal}.")

    async def _end(
        self, state: Literal["promoted", "aborted"], report: RolloutReport, kept: int, gone: int, why: str, note: str
    ) -> RolloutReport:
        await self._settle_route(kept)
        self._asked = None
        notes = "; ".join(each for each in (self._note, note) if each)
        self._last = report.model_copy(update={"state": state, "reason": why or "by hand", "note": notes})
        if self._watching is not None and self._watching is not asyncio.current_task():
            self._watching.cancel()
        _log.info("%s: the rollout of version %d is %s: %s", self._name, report.canary.version, state, why or "by hand")
        self._catalogue.settle(kept, gone)
        _, error = await self._supervisor.reload()
        if error:
            _log.warning("%s: after the rollout: %s", self._name, error)
        return self._last

    async def _settle_route(self, kept: int) -> None:
        newest = max(await asyncio.to_thread(self._books.versions), default=kept)
        await self._send(Route(stable=kept, until=newest) if newest > kept else None)

    async def _send(self, route: Route | None) -> None:
        self._route = route
        await self._supervisor.fleet.route(self._name, None if route is None else route.model_dump())

    async def _report(self) -> RolloutReport:
        route = self._route  # of this moment: the rollout may end while workers are asked
        if route is None or not self._running:
            raise ServingError(f"no rollout of {self._name} runs; `sandbox.rollout(version)` begins one.")
        self._seen |= await self._supervisor.fleet.compared(self._name)
        return added(self._seen.values()).report(self._name, route).model_copy(update={"note": self._note})

    async def _watch(self) -> None:
        while self._running:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self._look()
            except WorkbenchError as error:
                self._note = str(error)  # the rollout goes on, and a person may look
            except Exception:  # noqa: BLE001 - one look that fails must not be the last
                _log.exception("%s: the rollout could not be looked at", self._name)

    async def _look(self) -> None:
        report = await self._report()
        if report.canary.version not in self._available():
            await self.abort(f"version {report.canary.version} does not answer any more")
            return
        rule = self._asked.rule if self._asked is not None else None
        decision = None if rule is None else decide(report, rule)
        if decision is not None:
            state, why = decision
            with contextlib.suppress(asyncio.CancelledError):
                await (self.promote(why) if state == "promoted" else self.abort(why))

    def _available(self) -> list[int]:
        every = self._supervisor.index()
        return sorted(one["version"] for one in every if one["name"] == self._name and one["state"] == "AVAILABLE")
