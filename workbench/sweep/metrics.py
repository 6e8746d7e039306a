"""What points are compared by: name, unit, direction, and how it is read from a record."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError
from workbench.core.records import Repeated, Spread, SweepPoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from workbench.core.records import Variant


@dataclass(frozen=True)
class Metric:
    """One figure of a point.

    Attributes:
        read: From what was measured; None where it was not.
        show: As people read it.
        units: Factor by unit that a constraint may be written in; "" is the figure's own unit.
        larger: Whether more is better.
    """

    read: Callable[[Variant], float | None]
    show: Callable[[float], str]
    units: dict[str, float]
    larger: bool = False


_BYTES = {"": 1.0, "B": 1.0, "kB": 1e3, "MB": 1e6, "KiB": 1024.0, "MiB": 1048576.0}
_SHARE = {"": 1.0, "%": 0.01, "pt": 0.01}
_MS = {"": 1.0, "ms": 1.0, "us": 1e-3, "µs": 1e-3, "s": 1e3}


def _kilobytes(value: float) -> str:
    return f"{value / 1000:.1f} kB"


def _percent(value: float) -> str:
    return f"{100 * value:.2f} %"


def _points(value: float) -> str:
    return f"{100 * value:.2f} pt"


def _milliseconds(value: float) -> str:
    return f"{value:.3g} ms"


METRICS: dict[str, Metric] = {
    "accuracy": Metric(lambda v: v.accuracy.value, _percent, _SHARE, larger=True),
    "drop": Metric(lambda v: v.drop, _points, _SHARE),
    "drop_high": Metric(lambda v: v.drop_high, _points, _SHARE),
    "sparsity": Metric(lambda v: v.sparsity, _percent, _SHARE, larger=True),
    "raw": Metric(lambda v: v.sizes.raw, _kilobytes, _BYTES),
    "gzip": Metric(lambda v: v.sizes.gzip, _kilobytes, _BYTES),
    "packed": Metric(lambda v: getattr(v.sizes, "packed", None), _kilobytes, _BYTES),
    "p50_ms": Metric(lambda v: v.latency.p50_ms if v.latency else None, _milliseconds, _MS),
    "p95_ms": Metric(lambda v: v.latency.p95_ms if v.latency else None, _milliseconds, _MS),
}
# What has a 95 % interval of its own, in points of a hundred.
_INTERVALS: dict[str, tuple[Callable[[Variant], tuple[float, float]], str]] = {
    "accuracy": (lambda v: (v.accuracy.low, v.accuracy.high), "%"),
    "drop": (lambda v: (v.drop_low, v.drop_high), "pt"),
}
TIMED = frozenset({"p50_ms", "p95_ms"})
_ALIASES = {"p50": "p50_ms", "p95": "p95_ms", "bytes": "raw", "latency": "p95_ms"}


def metric_name(name: str, parameter: str = "metric") -> str:
    """Return the full name of a metric.

    Raises:
        BadInputError: There is none of that name.
    """
    found = _ALIASES.get(name, name)
    if found not in METRICS:
        raise BadInputError.of(parameter, rule=f"must be one of {', '.join(METRICS)}", got=name)
    return found


def value_of(point: SweepPoint | Repeated, name: str) -> float | None:
    """Return a metric of a point, or its mean over the seeds; None where it was not measured."""
    if isinstance(point, Repeated):
        return point.metrics[name].mean if name in point.metrics else None
    return None if point.variant is None else METRICS[name].read(point.variant)


def repeated(points: Iterable[SweepPoint]) -> tuple[Repeated, ...]:
    """Return each configuration with the spread of every metric over its seeds; failed points do not count."""
    groups: dict[str, list[SweepPoint]] = {}
    for point in points:
        if point.variant is not None:
            groups.setdefault(point.configuration, []).append(point)
    # They are finished in any order.
    return tuple(_over_seeds(sorted(group, key=lambda point: point.seed or 0)) for group in groups.values())


def _over_seeds(group: Sequence[SweepPoint]) -> Repeated:
    first = group[0]
    metrics: dict[str, Spread] = {}
    for name in METRICS:
        found = [value for point in group if (value := value_of(point, name)) is not None]
        if found:
            deviation = stdev(found) if len(found) > 1 else 0.0
            metrics[name] = Spread(
                mean=fmean(found), deviation=deviation, low=min(found), high=max(found), count=len(found)
            )
    return Repeated(
        configuration=first.configuration,
        label=first.label.removesuffix(f", seed {first.seed}"),
        values=first.values,
        seeds=tuple(point.seed for point in group),
        metrics=metrics,
    )


def shown(point: SweepPoint | Repeated, name: str) -> str:
    """Return a metric of a point as people read it."""
    value = value_of(point, name)
    return "–" if value is None else METRICS[name].show(value)


def shown_with_interval(point: SweepPoint | Repeated, name: str) -> str:
    """Return a metric of a point with its 95 % interval, where it has one, as people read it."""
    value, known = value_of(point, name), _INTERVALS.get(name)
    if value is None or known is None or isinstance(point, Repeated) or point.variant is None:
        return shown(point, name)
    interval, unit = known
    low, high = interval(point.variant)
    return f"{100 * value:.2f} [{100 * low:.2f}, {100 * high:.2f}] {unit}"


def losses(point: Any, objectives: Sequence[str]) -> tuple[float, ...] | None:
    """Return a point's objectives so that less is better; None where one was not measured."""
    values = [value_of(point, name) for name in objectives]
    if any(value is None for value in values):
        return None
    return tuple(
        -value if METRICS[name].larger else value
        for name, value in zip(objectives, values, strict=True)
        if value is not None
    )
