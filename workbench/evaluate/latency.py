"""How long one call takes, with the first calls kept apart."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.records import Latency, Noise
from workbench.evaluate.runtimes.base import open_runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from workbench.evaluate.runtimes.base import Runtime

_COPIES = 2


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
    batches = _batches(samples, batch, runs, warmup)
    if isinstance(model, Artifact):
        with open_runtime(model) as runtime:
            times = _time(runtime, batches, warmup + runs, clock)
            name, threads = runtime.name, runtime.threads
    else:
        times, name, threads = _time(model, batches, warmup + runs, clock), model.name, model.threads
    return _latency(times[warmup:], times[0], name, threads, batch)


def measure_noise(
    artifact: Artifact,
    samples: NDArray[np.float32],
    *,
    batch: int = 1,
    runs: int = 200,
    warmup: int = 5,
    clock: Callable[[], int] = time.perf_counter_ns,
) -> tuple[Latency, Noise]:
    """Time a model and a second copy of it, call by call in turn, so that the two differ by noise alone (A/A).

    Both answer the same samples; who goes first alternates.

    Args:
        artifact: Opened twice with one thread.
        samples: (samples, …) inputs in [0, 1], taken in turn.
        batch: Samples a call.
        runs: Timed calls of both together, at least 2.
        warmup: Calls of each before the timed ones, at least 1.
        clock: Source of nanoseconds.

    Returns:
        The latency over all timed calls, and how far the two lie apart.

    Raises:
        BadInputError: As in `measure_latency`.
    """
    if runs < _COPIES:
        raise BadInputError.of("runs", rule=f"must be at least {_COPIES}", got=runs)
    batches = _batches(samples, batch, runs, warmup)
    each = runs // _COPIES
    with open_runtime(artifact) as first, open_runtime(artifact) as second:
        ours, theirs = _time_in_turn((first, second), batches, warmup + each, clock)
        name, threads = first.name, first.threads
    ours, theirs, cold = ours[warmup:], theirs[warmup:], ours[0]
    noise = Noise(p50=_apart(ours, theirs, 50), p95=_apart(ours, theirs, 95), runs=each)
    return _latency(ours + theirs, cold, name, threads, batch), noise


def _batches(samples: NDArray[np.float32], batch: int, runs: int, warmup: int) -> list[NDArray[np.float32]]:
    for name, value, least in (("batch", batch, 1), ("runs", runs, 1), ("warmup", warmup, 1)):
        if value < least:
            raise BadInputError.of(name, rule=f"must be at least {least}", got=value)
    if len(samples) < batch:
        raise BadInputError.of("samples", rule=f"must be at least one batch of {batch}", got=len(samples))
    starts = range(0, len(samples) - batch + 1, batch)
    return [np.ascontiguousarray(samples[start : start + batch], np.float32) for start in starts]


def _latency(times: list[float], warmup_ms: float, runtime: str, threads: int, batch: int) -> Latency:
    p50, p95, p99 = (float(value) for value in np.percentile(times, (50, 95, 99)))
    return Latency(
        runtime=runtime, batch=batch, threads=threads, runs=len(times),
        warmup_ms=warmup_ms, p50_ms=p50, p95_ms=p95, p99_ms=p99,
    )  # fmt: skip


def _apart(ours: list[float], theirs: list[float], percentile: int) -> float:
    low, high = sorted(float(np.percentile(times, percentile)) for times in (ours, theirs))
    # A clock that stands still says nothing of either.
    return high / low - 1 if low > 0 else 0.0


def _time(runtime: Runtime, batches: list[NDArray[np.float32]], calls: int, clock: Callable[[], int]) -> list[float]:
    """Return the milliseconds of each call."""
    return _time_in_turn((runtime,), batches, calls, clock)[0]


def _time_in_turn(
    runtimes: tuple[Runtime, ...], batches: list[NDArray[np.float32]], calls: int, clock: Callable[[], int]
) -> tuple[list[float], ...]:
    """Return the milliseconds of each call, a list a runtime; they take turns in going first."""
    times: tuple[list[float], ...] = tuple([] for _ in runtimes)
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        for number in range(calls):
            inputs = batches[number % len(batches)]
            for turn in range(len(runtimes)):
                which = (number + turn) % len(runtimes)
                start = clock()
                runtimes[which].predict(inputs)
                times[which].append((clock() - start) / 1e6)
    finally:
        if collecting:
            gc.enable()
    return times
