"""The core that every door asks: which version answers, and its answer; it knows no protocol."""

from __future__ import annotations

import asyncio
import time
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.serve.arrival import arrived
from workbench.serve.batching.deadlines import Deadlines
from workbench.serve.batching.queue import BatchQueue, fail, overdue
from workbench.serve.batching.runners import Runners
from workbench.serve.batching.settings import Batching
from workbench.serve.batching.work import Work, common_size, sharing_key
from workbench.serve.rollout.traffic import Traffic
from workbench.serve.signature import DEFAULT
from workbench.serve.status import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.serve.batching.work import Answer
    from workbench.serve.counters import Counters
    from workbench.serve.models import Models, Target
    from workbench.serve.request_log import RequestLog
    from workbench.serve.rollout.route import Route
    from workbench.serve.servable import Servable

    Array = np.ndarray[Any, Any]


class Inference:
    """Finds the version that a request means and runs it; its coroutines belong to one event loop.

    Attributes:
        models: What is served.
        counters: Where requests are counted.
        batching: How requests share a run.
        log: Where requests are noted; None where they are not.
        asks_arrivals: Somebody here asks how requests came in, so that the short way says it too.
        traffic: Who answers while a new version is tried.
    """

    def __init__(
        self, models: Models, counters: Counters, batching: Batching | None = None, log: RequestLog | None = None
    ) -> None:
        self.models = models
        self.counters = counters
        self.batching = batching or Batching()
        self.log = log
        self.asks_arrivals = log is not None
        self.traffic = Traffic(models, log)
        counters.holds = lambda name: models.model(name) is not None
        self._runners = Runners(self.batching.num_batch_threads)
        self._deadlines = Deadlines(lambda work: fail(work, overdue()))

    def find(self, target: Target) -> Servable:
        """Return the version that answers a request.

        Whoever awaits anything before `run` should `hold` it meanwhile, lest it is unloaded.

        Raises:
            RequestError: NOT_FOUND for an unknown model or version, INVALID_ARGUMENT for an unknown label.
        """
        return self.models.find(target)

    def choose(self, target: Target) -> Servable:
        """Return the version that answers a request for an inference: `find`'s, or a rollout's new one in its turn.

        Raises:
            RequestError: As of `find`.
        """
        return self.traffic.pick(target) if self.traffic.live else self.models.find(target)

    def set_route(self, name: str, route: Route | None) -> None:
        """Send a model's requests another way from now on."""
        self.traffic.set(name, route)
        self.asks_arrivals = self.log is not None or bool(self.traffic.live)

    async def run(
        self, servable: Servable, feeds: Mapping[str, Array], signature: str = "", deadline: float | None = None
    ) -> dict[str, Array]:
        """Answer one request, perhaps in one run with others.

        Args:
            servable: The version that answers, of `find`.
            feeds: An array for each input of the signature.
            signature: Its name; the default one where empty.
            deadline: When the answer is of no use any more, on the clock of `time.monotonic()`.

        Returns:
            The outputs by name, in the model's order.

        Raises:
            RequestError: As of `Servable.run`, RESOURCE_EXHAUSTED where too many wait, or DEADLINE_EXCEEDED.
        """
        if deadline is None:
            deadline = inf
        elif time.monotonic() >= deadline:
            raise overdue()
        future: asyncio.Future[dict[str, Array]] = asyncio.get_running_loop().create_future()
        work = self.begin(servable, feeds, signature, future, deadline)
        if work is None:
            return await self._in_parts_noted(servable, feeds, signature, deadline)
        try:
            return await future
        finally:
            self.end(servable, signature, work)

    def begin(
        self, servable: Servable, feeds: Mapping[str, Array], signature: str, answer: Answer, deadline: float
    ) -> Work | None:
        """Begin to answer one request; for who needs no coroutine.

        Args:
            servable: As of `run`.
            feeds: As of `run`.
            signature: As of `run`.
            answer: Where the outputs or the error go, in the event loop and later than this returns.
            deadline: As of `run`; infinite for none.

        Returns:
            What `end` must be called with once it is answered, or to give it up; None where it is too large for one
            run, so that only `run` answers it.

        Raises:
            RequestError: As of `run`.
        """
        if self.log is None:
            return self._begin(servable, feeds, signature or DEFAULT, answer, deadline)
        begun = time.perf_counter()
        try:
            work = self._begin(servable, feeds, signature or DEFAULT, answer, deadline)
        except RequestError as error:
            self.log.keep(servable, arrived(), feeds, error, begun)
            raise
        if work is not None:
            work.arrival = arrived()
        return work

    def _begin(
        self, servable: Servable, feeds: Mapping[str, Array], name: str, answer: Answer, deadline: float
    ) -> Work | None:
        servable.check(feeds, name)
        queue = self._queue(servable, name)
        queue.admit()
        size = common_size(feeds) if queue.shares else None
        if size and size > self.batching.max_batch_size and self.batching.mode == "on":
            return None
        return self._put(servable, queue, feeds, size, answer, deadline)

    def end(self, servable: Servable, signature: str, work: Work) -> None:
        """Let go of what `begin` began."""
        self._let_go(servable, signature, work)
        if self.log is not None:
            self.log.keep(servable, work.arrival, work.feeds, work.outcome, work.begun, work.ended)
        if self.traffic.live:
            self.traffic.note(servable, signature, work.feeds, work.outcome, work.begun, work.ended)

    def close(self) -> None:
        """Let the threads go."""
        self._runners.close()
        if self.log is not None:
            self.log.close()

    def _let_go(self, servable: Servable, signature: str, work: Work) -> None:
        self._queue(servable, signature or DEFAULT).drop(work)
        self._deadlines.discard(work)
        servable.let_go()

    def _queue(self, servable: Servable, signature: str) -> BatchQueue:
        queue: BatchQueue | None = servable.queues.get(signature)
        if queue is None:
            queue = servable.queues[signature] = BatchQueue(
                servable, signature, self.batching, self._runners, self.counters
            )
        return queue

    def _put(
        self,
        servable: Servable,
        queue: BatchQueue,
        feeds: Mapping[str, Array],
        size: int | None,
        answer: Answer,
        deadline: float,
    ) -> Work:
        # Where its inputs are not so many samples each, nobody can share a run with it.
        work = Work(feeds, size or 1, sharing_key(feeds) if size else object(), deadline, answer)
        servable.hold()
        queue.put(work)
        if deadline < inf:
            self._deadlines.add(work)
        return work

    async def _in_parts_noted(
        self, servable: Servable, feeds: Mapping[str, Array], signature: str, deadline: float
    ) -> dict[str, Array]:
        begun = time.perf_counter()
        outcome: dict[str, Array] | Exception | None = None
        try:
            outcome = await self._in_parts(servable, feeds, signature, deadline)
        except Exception as error:
            outcome = error
            raise
        finally:
            if self.log is not None:
                self.log.keep(servable, arrived(), feeds, outcome, begun)
            if self.traffic.live:
                self.traffic.note(servable, signature, feeds, outcome, begun, time.perf_counter())
        return outcome

    async def _in_parts(
        self, servable: Servable, feeds: Mapping[str, Array], signature: str, deadline: float
    ) -> dict[str, Array]:
        queue, loop = self._queue(servable, signature or DEFAULT), asyncio.get_running_loop()
        most, size = self.batching.max_batch_size, common_size(feeds) or 0
        futures: list[asyncio.Future[dict[str, Array]]] = []
        works = []
        try:
            for start in range(0, size, most):
                part = {name: array[start : start + most] for name, array in feeds.items()}
                futures.append(loop.create_future())
                works.append(self._put(servable, queue, part, min(most, size - start), futures[-1], deadline))
            parts = await asyncio.gather(*futures)
        finally:
            for work in works:
                self._let_go(servable, signature, work)
            for future in futures:
                future.cancel()
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
