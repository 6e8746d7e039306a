"""Workers that are kept alive: one that dies is replaced, at once where it had lived, with growing pauses where not."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from typing import TYPE_CHECKING, Any

from workbench.serve.status import RequestError
from workbench.serve.supervision.channel import ChannelClosedError
from workbench.serve.supervision.status import WorkerStatus

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from workbench.serve.supervision.worker_process import WorkerProcess

_SECONDS_TO_TRUST = 5.0  # one that lived as long is replaced at once
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 10.0
_SECONDS_TO_DIE = 1.0
_PATIENCE_SECONDS = 30.0

_log = logging.getLogger(__name__)


class Crew:
    """Starts `count` workers and sees to them until it is drained."""

    def __init__(
        self,
        count: int,
        start: Callable[[int], Awaitable[WorkerProcess]],
        prepare: Callable[[WorkerProcess], Awaitable[None]],
        leave: Callable[[WorkerProcess], None],
        *,
        patience: float = _PATIENCE_SECONDS,
    ) -> None:
        """Start nothing yet.

        Args:
            count: How many.
            start: Starts one for a place.
            prepare: Brings one to where it answers.
            leave: Is told of one that is to be asked nothing more.
            patience: Seconds after which one whose event loop does not turn is killed.
        """
        self._start = start
        self._prepare = prepare
        self._leave = leave
        self._patience = patience
        self._status = [WorkerStatus(pid=0, state="starting") for _ in range(count)]
        self._workers: dict[int, WorkerProcess] = {}
        self._tried = [asyncio.Event() for _ in range(count)]
        self._changed = asyncio.Event()
        self._leaving = False
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def status(self) -> list[WorkerStatus]:
        """How each worker stands."""
        return [*self._status]

    @property
    def ready(self) -> list[WorkerProcess]:
        """Those that are prepared."""
        return [self._workers[index] for index, one in enumerate(self._status) if one.state == "ready"]

    async def begin(self) -> None:
        """Start all and return when each is prepared or has failed once."""
        self._tasks = [asyncio.create_task(self._keep(index)) for index in range(len(self._status))]
        await asyncio.gather(*(tried.wait() for tried in self._tried))

    async def settled(self) -> None:
        """Return when at least one is prepared."""
        while not self.ready:
            self._changed.clear()
            await self._changed.wait()

    async def drain(self, seconds: float, forced: asyncio.Event) -> None:
        """End all: each answers what it has, and is killed where that takes longer or is forced."""
        self._leaving = True
        workers = [*self._workers.values()]
        for worker in workers:
            self._set(worker.index, state="draining")
        gone = asyncio.create_task(_drain_all(workers, seconds))
        force = asyncio.create_task(_hear(forced))
        await asyncio.wait([gone, force], timeout=seconds + _SECONDS_TO_DIE, return_when=asyncio.FIRST_COMPLETED)
        for worker in workers:
            worker.kill()
        if workers:
            await asyncio.wait([asyncio.create_task(worker.ended()) for worker in workers], timeout=_SECONDS_TO_DIE)
        for task in (gone, force, *self._tasks):
            task.cancel()
        await asyncio.gather(gone, force, *self._tasks, return_exceptions=True)

    async def replace(self, worker: WorkerProcess, seconds: float) -> None:
        """End one that was asked to go by somebody else; another takes its place."""
        self._set(worker.index, state="draining")
        self._leave(worker)
        await _drain(worker, seconds)

    async def _keep(self, index: int) -> None:
        pause = 0.0
        while True:
            lived, why = await self._live_once(index)
            if self._leaving:
                return
            pause = 0.0 if lived >= _SECONDS_TO_TRUST else min(max(2 * pause, _FIRST_PAUSE), _LONGEST_PAUSE)
            _log.warning("worker %d %s; the next one starts in %g s", index, why, pause)
            restarts = self._status[index].restarts + 1
            self._set(index, state="failed" if pause else "starting", pid=0, restarts=restarts, error=f"it {why}")
            self._tried[index].set()
            await asyncio.sleep(pause)

    async def _live_once(self, index: int) -> tuple[float, str]:
        try:
            worker = await self._start(index)
        except OSError as error:
            return 0.0, f"could not be started ({error.strerror})"
        self._workers[index] = worker
        self._set(index, state="starting", pid=worker.pid)
        try:
            return await self._see_to(worker)
        finally:
            self._leave(worker)
            self._workers.pop(index, None)

    async def _see_to(self, worker: WorkerProcess) -> tuple[float, str]:
        watching = asyncio.create_task(self._watch(worker))
        try:
            await self._prepare(worker)
        except RequestError as error:
            worker.kill()
            await worker.ended()
            return 0.0, f"could not be prepared ({error.message})"
        except ChannelClosedError:
            return 0.0, f"{_how(await worker.ended())} before it was ready"
        else:
            self._set(worker.index, state="ready")
            self._tried[worker.index].set()
            how = _how(await worker.ended())
            return worker.seconds, how
        finally:
            watching.cancel()

    async def _watch(self, worker: WorkerProcess) -> None:
        """Kill a worker that hangs: what is asked of all would wait for it, and so would its clients."""
        with contextlib.suppress(ChannelClosedError, RequestError):
            while True:
                await asyncio.sleep(self._patience / 3)
                try:
                    await asyncio.wait_for(worker.channel.call("alive"), self._patience)
                except TimeoutError:
                    _log.error("worker %d has not answered for %g s and is killed", worker.pid, self._patience)
                    worker.kill()
                    return

    def _set(self, index: int, **facts: Any) -> None:
        self._status[index] = self._status[index].model_copy(update=facts)
        self._changed.set()


async def _drain_all(workers: list[WorkerProcess], seconds: float) -> None:
    await asyncio.gather(*(_drain(worker, seconds) for worker in workers))


async def _hear(event: asyncio.Event) -> None:
    await event.wait()


async def _drain(worker: WorkerProcess, seconds: float) -> None:
    try:
        await worker.channel.call("drain", seconds=seconds)
    except (ChannelClosedError, RequestError):
        return  # it ended before us
    worker.channel.tell("leave")
    await worker.ended()


def _how(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
