"""What was measured of each server, and the rows of the table that are read from it."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from math import nan
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

CONNECTIONS = (1, 16, 64)
AT = 16  # connections at which the bars stand
P99_MOST = 3.0

Key = tuple[str, str, int, int]
"""Server, form, batch and connections."""


@dataclass(frozen=True)
class Figures:
    """One round: requests a second, milliseconds, CPU microseconds a request."""

    throughput: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


@dataclass
class Cells:
    """All rounds by server, form, batch and connections; None where not every request was answered."""

    rounds: dict[Key, list[Figures | None]] = field(default_factory=dict)

    def median(self, key: Key, figure: str) -> float:
        """Return the median of one figure over the rounds; NaN where there is none."""
        return _median(getattr(each, figure) for each in self.rounds[key] if each is not None)

    def ratio(self, form: str, other: str, batch: int, connections: int) -> float:
        """Our requests a second by another's: the median of the rounds' ratios."""
        ours = self.rounds["ours", form, batch, connections]
        theirs = self.rounds[other, form, batch, connections]
        return _median(a.throughput / b.throughput for a, b in zip(ours, theirs, strict=True) if a and b)


def _median(values: Iterable[float]) -> float:
    found = list(values)
    return statistics.median(found) if found else nan


def compared(cells: Cells, name: str, form: str, batch: int, least: float | None) -> dict[str, Any]:
    """The row of one rival, form and batch."""
    ratios = [cells.ratio(form, name, batch, connections) for connections in CONNECTIONS]
    ours, theirs = ("ours", form, batch, AT), (name, form, batch, AT)

    def both(figure: str, digits: int) -> str:
        return " against ".join(f"{cells.median(key, figure):,.{digits}f}" for key in (ours, theirs))

    return _row(
        f"serving, {'one image' if batch == 1 else f'{batch} images'}, {form}: requests/s to those of {name}",
        "" if least is None else f"≥ {least:g}x at {AT} connections",
        f"{' / '.join(f'{ratio:.2f}x' for ratio in ratios)} at {' / '.join(map(str, CONNECTIONS))} connections; "
        f"at {AT}: {both('throughput', 0)} /s, p50 {both('p50_ms', 2)} ms, p99 {both('p99_ms', 2)} ms, "
        f"CPU {both('cpu_us', 0)} µs a request",
        None if least is None else ratios[CONNECTIONS.index(AT)] >= least,
    )


def tail(cells: Cells, form: str, batch: int) -> dict[str, Any]:
    """The row of our own p99 at each number of connections."""
    keys = [("ours", form, batch, connections) for connections in CONNECTIONS]
    shares = [_median(each.p99_ms / each.p50_ms for each in cells.rounds[key] if each) for key in keys]
    return _row(
        f"serving, {'one image' if batch == 1 else f'{batch} images'}, {form}: p99 to p50",
        f"≤ {P99_MOST:g}x at {AT} connections",
        f"{' / '.join(f'{share:.1f}x' for share in shares)} at {' / '.join(map(str, CONNECTIONS))} connections",
        shares[CONNECTIONS.index(AT)] <= P99_MOST,
    )


def _row(figure: str, target: str, measured: str, met: bool | None) -> dict[str, Any]:  # noqa: FBT001 - a table's row
    return {"figure": figure, "target": target, "measured": measured, "met": met}
