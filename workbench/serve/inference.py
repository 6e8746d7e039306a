"""The core that every door asks: which version answers, and its answer; it knows no protocol."""

from __future__ import annotations

import asyncio
import time
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.serve.batching.deadlines import Deadlines
from workbench.serve.batching.queue import BatchQueue, fail, overdue
from workbench.serve.batching.runners import Runners
from workbench.serve.batching.settings import Batching
from workbench.serve.batching.work import Work, common_size, sharing_key
from workbench.serve.signature import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.serve.counters import Counters
    from workbench.serve.models import Models, Target
    from workbench.serve.servable import Servable

    Array = np.ndarray[Any, Any]


class Inference:
    """Finds the version that a request means and runs it; its coroutines belong to one event loop.

    Attributes:
        models: What is served.
        counters: Where requests are counted.
        batching: How requests share a run.
    """

    def __init__(self, models: Models, counters: Counters, batching: Batching | None = None) -> None:
        self.models = models
        self.counters = counters
        self.batching = batching or Batching()
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
        name = signature or DEFAULT
        servable.check(feeds, name)
        if deadline is None:
            deadline = inf
        elif time.monotonic() >= deadline:
            raise overdue()
        servable.hold()
        try:
            return await self._wait(self._queue(servable, name), feeds, deadline)
        finally:
            servable.let_go()

    def close(self) -> None:
        """Let the threads go."""
        self._runners.close()

    def _queue(self, servable: Servable, signature: str) -> BatchQueue:
        queue: BatchQueue | None = servable.queues.get(signature)
        if queue is None:
            queue = servable.queues[signature] = BatchQueue(
                servable, signature, self.batching, self._runners, self.counters
            )
        return queue

    async def _wait(self, queue: BatchQueue, feeds: Mapping[str, Array], deadline: float) -> dict[str, Array]:
        queue.admit()
        size = common_size(feeds) if queue.shares else None
        if not size:
            # Its inputs are not so many samples each: nobody can share a run with it.
            return await self._answer(queue, Work(feeds, 1, object(), deadline))
        if size > self.batching.max_batch_size and self.batching.mode == "on":
            return await self._in_parts(queue, feeds, size, deadline)
        return await self._answer(queue, Work(feeds, size, sharing_key(feeds), deadline))

    async def _answer(self, queue: BatchQueue, work: Work) -> dict[str, Array]:
        queue.put(work)
        if work.deadline < inf:
            self._deadlines.add(work)
        try:
            return await work.future
        finally:
            queue.drop(work)
            self._deadlines.discard(work)

    async def _in_parts(
        self, queue: BatchQueue, feeds: Mapping[str, Array], size: int, deadline: float
    ) -> dict[str, Array]:
        most = self.batching.max_batch_size
        tasks = []
        for start in range(0, size, most):
            part = {name: array[start : start + most] for name, array in feeds.items()}
            work = Work(part, min(most, size - start), sharing_key(part), deadline)
            tasks.append(asyncio.ensure_future(self._answer(queue, work)))
        try:
            parts = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
