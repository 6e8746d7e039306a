"""How requests that come at the same time share a run; TensorFlow Serving's parameters under its names."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.core.settings import Settings


class Batching(Settings):
    """Micro-batching of a served model."""

    mode: Literal["auto", "off", "on"] = Field(
        default="auto",
        description="auto: what waits anyway shares a run, a lone request never waits; on: wait for others; off: never",
    )
    max_batch_size: int = Field(default=64, ge=1, le=1 << 20, description="most samples that share a run")
    batch_timeout_micros: int = Field(
        default=1000, ge=0, le=60_000_000, description="longest wait for a batch to fill, microseconds; only where on"
    )
    max_enqueued_batches: int = Field(
        default=64, ge=1, le=1 << 20, description="batches that may wait; more is refused as RESOURCE_EXHAUSTED"
    )
    num_batch_threads: int = Field(default=0, ge=0, le=256, description="runs at the same time; 0 takes one a core")
    allowed_batch_sizes: tuple[int, ...] = Field(
        default=(), description="sizes a batch is padded to, growing, the last equal to max_batch_size; any where empty"
    )
