"""The fleet of workers as one: what it is told, every worker does, also one that is started later."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.serve.status import Code, RequestError
from workbench.serve.supervision.channel import ChannelClosedError
from workbench.serve.versions.fleet import LoadError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from pathlib import Path

    from workbench.serve.servable import State
    from workbench.serve.supervision.worker_process import WorkerProcess

_SECONDS_TO_JOIN = 10.0

_log = logging.getLogger(__name__)


@dataclass
class _Wanted:
    # What every worker is to hold.
    versions: dict[tuple[str, int], Path] = field(default_factory=dict)
    serving: set[tuple[str, int]] = field(default_factory=set)
    shown: dict[tuple[str, int], tuple[State, str]] = field(default_factory=dict)
    labels: dict[str, dict[str, int]] = field(default_factory=dict)
    routes: dict[str, dict[str, Any]] = field(default_factory=dict)


class RemoteFleet:
    """Implements `versions.fleet.Fleet` over worker processes.

    A worker that dies meanwhile delays nothing: its successor is given all that is wanted before it listens. Where it
    cannot load a version, it does not listen as long as others answer with that; where nobody does, the version alone
    is given up.
    """

    def __init__(self) -> None:
        self.on_lost: Callable[[str, int, str], None] = lambda *_: None
        self._workers: list[WorkerProcess] = []
        self._wanted = _Wanted()
        self._revision = 0
        self._joined = asyncio.Event()

    async def join(self, worker: WorkerProcess) -> None:
        """Bring a new worker to where all others are; from then on it takes part.

        Raises:
            ChannelClosedError: It died of it.
            RequestError: It cannot load what the others have loaded.
        """
        while True:
            revision = self._revision
            await self._replay(worker)
            if revision == self._revision:  # nothing was wanted anew meanwhile
                self._workers.append(worker)
                self._joined.set()
                return

    def leave(self, worker: WorkerProcess) -> None:
        """Ask a worker nothing more."""
        if worker in self._workers:
            self._workers.remove(worker)

    async def load(self, name: str, version: int, path: Path) -> None:
        """Have every worker open and warm a version; none answers with it yet.

        Raises:
            LoadError: One cannot, in one sentence; then none holds it.
        """
        workers = await self._some_workers()
        try:
            if self._wanted.serving:
                workers = await _try(workers, name, version, path)
                await _all(_load(worker, name, version, path) for worker in workers)
            elif not any(await _all(_load(worker, name, version, path) for worker in workers)):
                raise _fatal(name, version)
        except RequestError as error:
            await self._everyone("unload", name=name, version=version)
            raise LoadError(error.message) from None
        self._wanted.versions[name, version] = path
        self._revision += 1

    async def serve(self, name: str, version: int) -> None:
        """Have every worker answer with a version that is loaded."""
        key = (name, version)
        self._wanted.serving.add(key)
        self._wanted.shown.pop(key, None)
        self._revision += 1
        path = self._wanted.versions[key]
        await asyncio.gather(*(self._serve(worker, name, version, path) for worker in [*self._workers]))

    async def unload(self, name: str, version: int) -> None:
        """Have every worker finish what asks a version, then free it; it is listed as END."""
        key = (name, version)
        if self._wanted.versions.pop(key, None) is None:
            return
        self._wanted.serving.discard(key)
        self._wanted.shown[key] = ("END", "")
        self._revision += 1
        for worker in self._workers:
            worker.applied.pop(key, None)
        await self._everyone("unload", name=name, version=version)

    async def show(self, name: str, version: int, state: State, error: str = "") -> None:
        """Have status requests list a version with a state."""
        self._wanted.shown[name, version] = (state, error)
        self._revision += 1
        await self._everyone("show", name=name, version=version, state=state, error=error)

    async def label(self, name: str, labels: Mapping[str, int]) -> None:
        """Replace a model's labels."""
        self._wanted.labels[name] = dict(labels)
        self._revision += 1
        await self._everyone("label", name=name, labels=dict(labels))

    async def route(self, name: str, route: dict[str, Any] | None) -> None:
        """Have every worker send a model's requests that name no version another way."""
        if route is None:
            self._wanted.routes.pop(name, None)
        else:
            self._wanted.routes[name] = route
        self._revision += 1
        await self._everyone("route", name=name, route=route)

    async def compared(self, name: str) -> dict[int, dict[str, Any]]:
        """Return what each worker counted of a rollout, by process id."""
        workers = [*self._workers]
        asked = (worker.channel.call("compared", name=name) for worker in workers)
        found = await asyncio.gather(*asked, return_exceptions=True)
        return {worker.pid: each for worker, each in zip(workers, found, strict=True) if isinstance(each, dict)}

    async def refusal(self, name: str, stable: int, canary: int) -> str:
        """Return why two versions cannot answer the same requests, empty where they can."""
        for worker in [*self._workers]:
            with contextlib.suppress(ChannelClosedError):
                return str(await worker.channel.call("refusal", name=name, stable=stable, canary=canary))
        return ""

    async def forget(self, name: str) -> None:
        """Have no worker know a model any more."""
        wanted = self._wanted
        wanted.labels.pop(name, None)
        wanted.routes.pop(name, None)
        for table in (wanted.versions, wanted.shown):
            for key in [key for key in table if key[0] == name]:
                table.pop(key)
        wanted.serving = {key for key in wanted.serving if key[0] != name}
        self._revision += 1
        await self._everyone("forget", name=name)

    async def _some_workers(self) -> list[WorkerProcess]:
        if not self._workers:  # all have died just now
            self._joined.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._joined.wait(), _SECONDS_TO_JOIN)
        return [*self._workers]

    async def _serve(self, worker: WorkerProcess, name: str, version: int, path: Path) -> None:
        try:
            if await _load(worker, name, version, path):  # it may have joined after the others had loaded it
                await _serve(worker, name, version)
        except RequestError as error:
            _log.error("worker %d cannot serve %s version %d: %s", worker.pid, name, version, error.message)
            worker.kill()

    async def _replay(self, worker: WorkerProcess) -> None:
        wanted = self._wanted
        for key in [key for key in worker.applied if key not in wanted.versions]:
            worker.applied.pop(key)
            await worker.channel.call("unload", name=key[0], version=key[1])
        for (name, version), path in sorted(wanted.versions.items()):
            try:
                if not await _load(worker, name, version, path):
                    raise ChannelClosedError
            except RequestError as refusal:
                self._lose(name, version, refusal)
                continue
            if (name, version) in wanted.serving:
                await _serve(worker, name, version)
        for (name, version), (state, error) in [*wanted.shown.items()]:
            await worker.channel.call("show", name=name, version=version, state=state, error=error)
        for name, labels in [*wanted.labels.items()]:
            await worker.channel.call("label", name=name, labels=labels)
        for name, route in [*wanted.routes.items()]:
            await worker.channel.call("route", name=name, route=route)

    def _lose(self, name: str, version: int, refusal: RequestError) -> None:
        """Give up a version that nobody can load again, so that the others are not lost with it."""
        key = (name, version)
        if key not in self._wanted.versions:
            return  # in the meantime
        if self._workers or key not in self._wanted.serving:
            raise refusal
        del self._wanted.versions[key]
        self._wanted.serving.discard(key)
        self._wanted.shown[key] = ("END", refusal.message)
        self._revision += 1
        self.on_lost(name, version, refusal.message)

    async def _everyone(self, ask: str, **arguments: Any) -> None:
        async def one(worker: WorkerProcess) -> None:
            try:
                await worker.channel.call(ask, **arguments)
            except ChannelClosedError:
                pass  # its successor hears of it
            except RequestError as error:
                _log.error("worker %d refused to %s: %s", worker.pid, ask, error.message)
                worker.kill()

        await asyncio.gather(*(one(worker) for worker in [*self._workers]))


async def _load(worker: WorkerProcess, name: str, version: int, path: Path) -> bool:
    """Have a worker load a version; False where it ended meanwhile, for whatever reason."""
    if (name, version) not in worker.applied:
        try:
            await worker.channel.call("load", name=name, version=version, path=str(path))
        except ChannelClosedError:
            return False
        worker.applied[name, version] = False
    return True


async def _try(workers: list[WorkerProcess], name: str, version: int, path: Path) -> list[WorkerProcess]:
    """Load with one worker before all that serve others do, since a model may kill its process; return the rest.

    One that ends meanwhile may have ended for another reason, two have not.
    """
    for number, worker in enumerate(workers[:2], start=1):
        if await _load(worker, name, version, path):
            return workers[number:]
    raise _fatal(name, version)


def _fatal(name: str, version: int) -> RequestError:
    return RequestError(
        Code.INTERNAL, f"model {name} version {version} ended the process that loaded it; the log says why."
    )


async def _serve(worker: WorkerProcess, name: str, version: int) -> None:
    if not worker.applied.get((name, version), False):
        try:
            await worker.channel.call("serve", name=name, version=version)
        except ChannelClosedError:
            return
        worker.applied[name, version] = True


async def _all(every: Iterable[Awaitable[bool]]) -> list[bool]:
    # All are waited for, so that none still loads when the caller takes it back.
    found = await asyncio.gather(*every, return_exceptions=True)
    for each in found:
        if isinstance(each, BaseException):
            raise each
    return [each is True for each in found]
