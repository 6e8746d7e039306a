"""Those who wait for one signature of one version, and the runs that they share."""

from __future__ import annotations

import asyncio
import contextlib
import time
import weakref
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, cast

from workbench.serve.batching.work import joined, padding_of, shared_out
from workbench.serve.status import Code, RequestError

if TYPE_CHECKING:
    from workbench.serve.batching.runners import Runners
    from workbench.serve.batching.settings import Batching
    from workbench.serve.batching.work import Arrays, Work
    from workbench.serve.counters import Counters
    from workbench.serve.servable import Servable

    Outcome = Arrays | Exception

_INLINE_BYTES = 64 * 1024
# Handing a short run to a thread costs more than it takes, unless a core is idle; a long one must not stop the loop.
_INLINE_SECONDS = 0.002
_SIDE_BY_SIDE_SECONDS = 0.002  # shorter runs gather while one is under way: two threads would only fight for the core


class BatchQueue:
    """Forms runs of what waits; all its methods belong to one event loop.

    `auto`: what came in one turn of the loop, or waits while a run is under way, shares the next run; a request that is
    alone is answered at once, in the loop itself where that is quick. `on`: a run waits until it is full or its oldest
    request has waited `batch_timeout_micros`. `off`: one request, one run.
    """

    def __init__(
        self,
        servable: Servable,
        signature: str,
        batching: Batching,
        runners: Runners,
        counters: Counters,
    ) -> None:
        # Not held: a version is freed when no request holds it, and whoever waits here does.
        self._servable = cast("Servable", weakref.proxy(servable))
        self._name = servable.name
        self._signature = signature
        self._batching = batching
        self._runners = runners
        self._counters = counters
        self.shares = batching.mode != "off" and (
            servable.shares_runs(signature) if batching.mode == "auto" else servable.signatures[signature].batched
        )
        self._groups: OrderedDict[object, OrderedDict[Work, None]] = OrderedDict()
        self._waiting = 0
        self._running = 0
        self._scheduled = False
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop

    def admit(self) -> None:
        """Say whether another request may wait.

        Raises:
            RequestError: RESOURCE_EXHAUSTED, too many wait.
        """
        most = self._batching.max_enqueued_batches
        if self._waiting >= most * self._batching.max_batch_size:
            raise RequestError(
                Code.RESOURCE_EXHAUSTED,
                "The batch scheduling queue to which this task was submitted is full; currently"
                f" {most} batches enqueued and max_enqueued_batches is {most}",
            )

    def put(self, work: Work) -> None:
        """Let a work wait for its run."""
        self._loop = asyncio.get_running_loop()
        group = self._groups.get(work.key)
        if group is None:
            group = self._groups[work.key] = OrderedDict()
        group[work] = None
        self._waiting += self._weight(work)
        self._schedule()

    def drop(self, work: Work) -> None:
        """Let a work wait no more; nothing to do where it runs already."""
        group = self._groups.get(work.key)
        if group is not None and work in group:
            del group[work]
            self._left(work, group)

    def _left(self, work: Work, group: OrderedDict[Work, None]) -> None:
        self._waiting -= self._weight(work)
        if not group:
            del self._groups[work.key]

    def _weight(self, work: Work) -> int:
        return min(work.size, self._batching.max_batch_size)  # a larger one is one run all the same

    def _schedule(self) -> None:
        if self._scheduled or self._running >= self._slots():
            return
        if self._batching.mode == "on" and self.shares and not self._is_due():
            return
        self._scheduled = True
        self._loop.call_soon(self._flush)

    def _slots(self) -> int:
        most = self._runners.most
        return most if self._batching.mode == "on" or self._is_slow() else 1

    def _is_slow(self) -> bool:
        return self._servable.seconds_for(1) > _SIDE_BY_SIDE_SECONDS

    def _is_due(self) -> bool:
        """Tell whether a run of the oldest group is due; where it is not, see to it that it will be."""
        key = next(iter(self._groups), None)
        if key is None:
            return False
        group = self._groups[key]
        if sum(work.size for work in group) >= self._batching.max_batch_size:
            return True
        left = self._batching.batch_timeout_micros / 1e6 - (time.perf_counter() - next(iter(group)).begun)
        if left <= 0:
            return True
        if self._timer is None:
            self._timer = self._loop.call_later(left, self._on_timer)
        return False

    def _on_timer(self) -> None:
        self._timer = None
        self._schedule()

    def _flush(self) -> None:
        self._scheduled = False
        slots, until = self._slots(), time.perf_counter() + _INLINE_SECONDS
        while self._groups and self._running < slots:
            if self._batching.mode == "on" and self.shares and not self._is_due():
                return
            works = self._taken()
            if works:
                self._start(works)
            if self._groups and time.perf_counter() > until:  # others have their turn in the loop
                self._schedule()
                return

    def _taken(self) -> list[Work]:
        """Take the next run's works: the oldest and those that may share with it, as many as fit."""
        group = next(iter(self._groups.values()))
        works: list[Work] = []
        size, now = 0, time.monotonic()
        while group:
            work = next(iter(group))
            if works and size + work.size > self._batching.max_batch_size:
                break
            del group[work]
            self._left(work, group)
            if work.answer.done():
                continue
            if work.deadline <= now:
                fail(work, overdue())
                continue
            works.append(work)
            size += work.size
        return works

    def _start(self, works: list[Work]) -> None:
        begun = time.perf_counter()
        if self._is_quick(works):
            outcomes, padding = self._run(works)
            self._deliver(works, outcomes, padding, begun, time.perf_counter())
            return
        self._running += 1
        self._runners.submit(partial(self._run_in_thread, works, begun))

    def _is_quick(self, works: list[Work]) -> bool:
        if self._batching.mode == "on" and self.shares:
            return False
        size = sum(work.size for work in works)
        return self._servable.seconds_for(size) <= _INLINE_SECONDS and _bytes(works) <= _INLINE_BYTES

    def _run_in_thread(self, works: list[Work], begun: float) -> None:
        outcomes, padding = self._run(works)
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits any more
            self._loop.call_soon_threadsafe(self._finish, works, outcomes, padding, begun, time.perf_counter())

    def _finish(self, works: list[Work], outcomes: list[Outcome], padding: int, begun: float, end: float) -> None:
        self._running -= 1
        self._deliver(works, outcomes, padding, begun, end)
        if self._groups:
            self._schedule()

    def _run(self, works: list[Work]) -> tuple[list[Outcome], int]:
        """Answer works in one run, or each alone where that fails; on any thread."""
        padding = padding_of(sum(work.size for work in works), self._batching.allowed_batch_sizes) if self.shares else 0
        if len(works) > 1 or padding:
            try:
                outputs = self._servable.execute(joined(works, padding), self._signature)
                shared = shared_out(outputs, works, padding)
            except Exception:  # noqa: BLE001 - whose fault it is shows when each runs alone
                shared = None
            if shared is not None:
                return [*shared], padding
        return [self._alone(work) for work in works], 0

    def _alone(self, work: Work) -> Outcome:
        try:
            return self._servable.execute(work.feeds, self._signature)
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            return error

    def _deliver(self, works: list[Work], outcomes: list[Outcome], padding: int, begun: float, end: float) -> None:
        for work, outcome in zip(works, outcomes, strict=True):
            if work.answer.done():
                continue
            work.outcome, work.ended = outcome, end
            if isinstance(outcome, Exception):
                work.answer.set_exception(outcome)
            else:
                work.answer.set_result(outcome)
        self._counters.count_run(
            self._name,
            end - begun,
            [begun - work.begun for work in works],
            [work.size for work in works],
            padding,
        )


def fail(work: Work, error: RequestError) -> None:
    """Answer a work with an error, where it has no answer yet."""
    if not work.answer.done():
        work.outcome = error
        work.answer.set_exception(error)


def overdue() -> RequestError:
    """Return the error for what comes too late."""
    return RequestError(Code.DEADLINE_EXCEEDED, "Deadline exceeded")


def _bytes(works: list[Work]) -> int:
    return sum(array.nbytes for work in works for array in work.feeds.values())
