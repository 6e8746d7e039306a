"""Points made of figures, for tests that measure nothing."""

from __future__ import annotations

from typing import Any

from workbench.core.records import Latency, Proportion, Sizes, SweepPoint, Variant


def point(
    label: str, accuracy: float, gzip: int, p95: float | None = 1.0, *, seed: int | None = None, **values: Any
) -> SweepPoint:
    """Return a measured point."""
    share = Proportion(value=accuracy, low=accuracy - 0.01, high=min(1.0, accuracy + 0.01), successes=1, total=2)
    latency = None if p95 is None else Latency(
        runtime="tflite", batch=1, threads=1, runs=9, warmup_ms=1, p50_ms=p95 / 2, p95_ms=p95, p99_ms=p95
    )  # fmt: skip
    variant = Variant(
        name=label, format="tflite", numeric="int8", artifact="/nowhere", sparsity=0.5, accuracy=share,
        drop=1 - accuracy, drop_low=0, drop_high=1, sizes=Sizes(raw=2 * gzip, gzip=gzip), latency=latency,
        parity=None, verdict=None,
    )  # fmt: skip
    configuration = label.removesuffix(f", seed {seed}")
    return SweepPoint(
        key=label, configuration=configuration, label=label, values=values, seed=seed,
        state="made" if p95 is None else "done", variant=variant,
    )  # fmt: skip


def failed(label: str) -> SweepPoint:
    """Return a failed point."""
    return SweepPoint(key=label, configuration=label, label=label, values={}, state="failed", reason="it rained")
