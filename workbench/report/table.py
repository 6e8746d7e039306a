"""The table of variants as text: the same cells in the terminal and in the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.core.records import Variant

HEAD = (
    "variant",
    "accuracy %",
    "95 % interval",
    "drop pt",
    "zeros %",
    "raw kB",
    "gzip kB",
    "ratio",
    "p50 ms",
    "p95 ms",
    "gate",
)


@dataclass(frozen=True)
class Table:
    """A head and rows of the same length, ready to show."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def without(self, *heads: str) -> Table:
        """Return the table without some columns."""
        kept = [index for index, head in enumerate(self.head) if head not in heads]
        return Table(
            tuple(self.head[index] for index in kept), tuple(tuple(row[index] for index in kept) for row in self.rows)
        )


def variants_table(variants: Sequence[Variant]) -> Table:
    """Turn variants into cells: accuracy with its 95 % interval; ratios of gzip'd bytes to the first row's."""
    base = variants[0].sizes.gzip if variants else 0
    return Table(HEAD, tuple(_cells(variant, base) for variant in variants))


def _cells(variant: Variant, base: int) -> tuple[str, ...]:
    accuracy, latency = variant.accuracy, variant.latency
    return (
        variant.name,
        f"{100 * accuracy.value:.2f}",
        f"{100 * accuracy.low:.2f} – {100 * accuracy.high:.2f}",
        f"{100 * variant.drop:+.2f}",
        f"{100 * variant.sparsity:.0f}",
        f"{variant.sizes.raw / 1000:.1f}",
        f"{variant.sizes.gzip / 1000:.1f}",
        f"{base / variant.sizes.gzip:.1f}×",
        f"{latency.p50_ms:.3f}" if latency else "–",
        f"{latency.p95_ms:.3f}" if latency else "–",
        "–" if variant.verdict is None else "pass" if variant.verdict.passed else "FAIL",
    )
