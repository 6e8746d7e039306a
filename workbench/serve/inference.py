"""The core that every door asks: which version answers, and its answer; it knows no protocol."""

from __future__ import annotations

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from workbench.serve.status import Code, RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from workbench.serve.counters import Counters
    from workbench.serve.models import Models, Target
    from workbench.serve.servable import Servable

    Array = np.ndarray[Any, Any]

_INLINE_BYTES = 64 * 1024
_INLINE_SECONDS = 0.002


class Inference:
    """Finds the version that a request means and runs it; its coroutines belong to one event loop.

    Attributes:
        models: What is served.
        counters: Where requests are counted.
    """

    def __init__(self, models: Models, counters: Counters) -> None:
        self.models = models
        self.counters = counters
        counters.holds = lambda name: models.model(name) is not None
        self._pool = ThreadPoolExecutor(max_workers=os.cpu_count(), thread_name_prefix="infer")

    def find(self, target: Target) -> Servable:
        """Return the version that answers a request.

        Raises:
            RequestError: NOT_FOUND for an unknown model or version, INVALID_ARGUMENT for an unknown label.
        """
        return self.models.find(target)

    async def run(
        self, servable: Servable, feeds: Mapping[str, Array], signature: str = "", deadline: float | None = None
    ) -> dict[str, Array]:
        """Answer one request, perhaps in one batch with others.

        Args:
            servable: The version that answers, of `find`.
            feeds: An array for each input of the signature.
            signature: Its name; the default one where empty.
            deadline: When the answer is of no use any more, on the clock of `time.monotonic()`.

        Returns:
            The outputs by name, in the model's order.

        Raises:
            RequestError: As of `Servable.run`, or DEADLINE_EXCEEDED.
        """
        if deadline is not None and time.monotonic() >= deadline:
            raise RequestError(Code.DEADLINE_EXCEEDED, "Deadline exceeded")
        # Handing a small request to a thread costs more than it takes; a slow model must not stop the loop.
        if servable.run_seconds <= _INLINE_SECONDS and sum(each.nbytes for each in feeds.values()) <= _INLINE_BYTES:
            return servable.run(feeds, signature)
        return await asyncio.get_running_loop().run_in_executor(self._pool, servable.run, feeds, signature)

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=False)
