"""How long one call takes, with the first calls kept apart."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.records import Latency
from workbench.evaluate.runtimes.base import open_runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from workbench.evaluate.runtimes.base import Runtime


def measure_latency(
    model: Runtime | Artifact,
    samples: NDArray[np.float32],
    *,
    batch: int = 1,
    runs: int = 200,
    warmup: int = 5,
    clock: Callable[[], int] = time.perf_counter_ns,
) -> Latency:
    """Time single calls of a model on real samples.

    The first call (which plans memory) is reported by itself and `warmup` calls do not count. Python's garbage
    collector rests meanwhile. Each call gets other samples, in turn.

    Args:
        model: An open runtime, or an artifact that is opened with one thread and closed again.
        samples: (samples, …) inputs in [0, 1]; taken in turn, from the start again where they run out.
        batch: Samples a call.
        runs: Timed calls.
        warmup: Calls before the timed ones, at least 1.
        clock: Source of nanoseconds.

    Raises:
        BadInputError: There are fewer samples than one batch, or less than one call is asked for.
    """
    for name, value, least in (("batch", batch, 1), ("runs", runs, 1), ("warmup", warmup, 1)):
        if value < least:
            raise BadInputError.of(name, rule=f"must be at least {least}", got=value)
    if len(samples) < batch:
        raise BadInputError.of("samples", rule=f"must be at least one batch of {batch}", got=len(samples))
    starts = range(0, len(samples) - batch + 1, batch)
    batches = [np.ascontiguousarray(samples[start : start + batch], np.float32) for start in starts]

    if isinstance(model, Artifact):
        with open_runtime(model) as runtime:
            times = _time(runtime, batches, warmup + runs, clock)
            name, threads = runtime.name, runtime.threads
    else:
        times, name, threads = _time(model, batches, warmup + runs, clock), model.name, model.threads
    p50, p95, p99 = (float(value) for value in np.percentile(times[warmup:], (50, 95, 99)))
    return Latency(
        runtime=name, batch=batch, threads=threads, runs=runs,
        warmup_ms=times[0], p50_ms=p50, p95_ms=p95, p99_ms=p99,
    )  # fmt: skip


def _time(runtime: Runtime, batches: list[NDArray[np.float32]], calls: int, clock: Callable[[], int]) -> list[float]:
    """Return the milliseconds of each call."""
    times = []
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        for number in range(calls):
            inputs = batches[number % len(batches)]
            start = clock()
            runtime.predict(inputs)
            times.append((clock() - start) / 1e6)
    finally:
        if collecting:
            gc.enable()
    return times
