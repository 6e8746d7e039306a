"""What a sweep measured, point by point."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from workbench.core.records.base import Record

# pydantic reads these names when it builds the classes.
from workbench.core.records.road import Variant  # noqa: TC001


class Noise(Record):
    """How far two measurements of one and the same model lie apart: the larger percentile over the smaller, minus 1.

    A difference between two models that is smaller than this says nothing.

    Attributes:
        p50: Of the medians.
        p95: Of the 95th percentiles.
        runs: Calls of each of the two.
    """

    p50: float
    p95: float
    runs: int


class PointSeconds(Record):
    """What a point cost; what another point or an earlier run has paid for counts 0, so that points add up."""

    train: float = 0.0
    convert: float = 0.0
    evaluate: float = 0.0

    @property
    def total(self) -> float:
        """All of it."""
        return self.train + self.convert + self.evaluate


class SweepPoint(Record):
    """One point of a space: what was asked, what was made, what was measured.

    Attributes:
        key: Content address of the whole question: model or training, data, steps, machine.
        configuration: The same without the seed; equal for repetitions.
        label: What people call it.
        values: Value by axis; None where the step was left out.
        seed: Of the repetition; None where the steps' own seeds hold.
        state: `made` has all but its latency, `done` has all, `failed` has a reason.
        train: Changed training settings, where the parent was trained for the sweep.
        steps: `{"method": name, "settings": {…}}`, in order.
        deploy: Format that is converted to where the last step does not convert.
        along: Sparsities of the shared trajectory that its pruning is a snapshot of.
        variant: What was measured.
        sha256: Of the model file.
        made: Folders of what the steps made, the measured file last.
        noise: Of the latency.
        timing: How the latency was measured, in words.
        seconds: What it cost.
        reason: Why it failed.
    """

    key: str
    configuration: str
    label: str
    values: dict[str, Any]
    seed: int | None = None
    state: Literal["made", "done", "failed"]
    train: dict[str, Any] | None = None
    steps: tuple[dict[str, Any], ...] = ()
    deploy: str = "tflite"
    along: tuple[float, ...] = ()
    variant: Variant | None = None
    sha256: str = ""
    made: tuple[str, ...] = ()
    noise: Noise | None = None
    timing: str = ""
    seconds: PointSeconds = Field(default_factory=PointSeconds)
    reason: str = ""

    def __repr__(self) -> str:
        if self.variant is None:
            return f"SweepPoint({self.label!r}, {self.state}: {self.reason})"
        accuracy, sizes, latency = self.variant.accuracy, self.variant.sizes, self.variant.latency
        timed = f", p50 {latency.p50_ms:.3f} ms, p95 {latency.p95_ms:.3f} ms" if latency is not None else ""
        return (
            f"SweepPoint({self.label!r}, accuracy={accuracy.value:.4f} [{accuracy.low:.4f}, {accuracy.high:.4f}], "
            f"drop={self.variant.drop:.4f} [{self.variant.drop_low:.4f}, {self.variant.drop_high:.4f}], "
            f"raw={sizes.raw:,} B, gzip={sizes.gzip:,} B, packed={sizes.packed or 0:,} B{timed})"
        )

    __str__ = __repr__


class Constraint(Record):
    """One limit.

    Attributes:
        metric: Name of a metric of sweeps, such as `gzip`.
        at_least: True for "≥", False for "≤".
        limit: In the metric's own unit: bytes, milliseconds, shares of 1.
        text: As a person wrote it.
    """

    metric: str
    at_least: bool
    limit: float
    text: str


class Spread(Record):
    """A figure over several seeds; `deviation` is the sample's standard deviation, 0 for a single one."""

    mean: float
    deviation: float
    low: float
    high: float
    count: int


class Repeated(Record):
    """One configuration over its seeds; `metrics` holds a spread by metric."""

    configuration: str
    label: str
    values: dict[str, Any]
    seeds: tuple[int | None, ...]
    metrics: dict[str, Spread]


class Estimate(Record):
    """How much a sweep has before it.

    Attributes:
        points: Points that are not finished.
        jobs: Jobs that they need; shared ones count once.
        seconds: Wall time.
        basis: `measured` where earlier runs of this workspace tell every part, else `guess`.
        text: One sentence.
    """

    points: int
    jobs: int
    seconds: float
    basis: Literal["measured", "guess"]
    text: str


class Verification(Record):
    """A point made again without any cache, compared with what is in the sweep."""

    key: str
    equal: bool
    differences: tuple[str, ...]
    artifact: str
