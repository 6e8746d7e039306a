"""A load on a server: as one HTML file that opens offline, and as lines in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.artifact import cpu_name
from workbench.core.workspace import write_atomic
from workbench.report.page import render_page
from workbench.report.table import Table

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.records import LoadResult

_BUSY = 0.8  # of a core: from here on the generator is a part of what it measures


def write_load_report(result: LoadResult, path: Path) -> Path:
    """Render a load into one file and return its path; plotly's own script is inside it."""
    from workbench.figures.latency_histogram import latency_histogram

    html = render_page(
        "load.html.j2", {"latency": latency_histogram(result)}, result=result, table=load_table(result),
        remarks=remarks(result), machine=cpu_name(),
    )  # fmt: skip
    write_atomic(path, html)
    return path


def load_table(result: LoadResult) -> Table:
    """Turn a result into cells: what was asked, what came, how late."""
    times = ("p50_ms", "p90_ms", "p99_ms", "p999_ms", "max_ms")
    return Table(
        ("answers", "failed", "answers/s", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms"),
        (
            (
                f"{result.requests:,}",
                f"{result.failed:,}",
                f"{result.throughput:,.1f}",
                *("–" if (value := getattr(result, name)) is None else f"{value:.3f}" for name in times),
            ),
        ),
    )


def remarks(result: LoadResult) -> tuple[str, ...]:
    """Return what a reader of the figures must know."""
    said = [f"{count:,} requests ended with {status}." for status, count in result.errors.items()]
    if result.unsent:
        said.append(
            f"{result.unsent:,} requests were due and never sent: all {result.connections} connections were busy."
        )
    if result.client_cpu > _BUSY:
        said.append(
            f"The load generator took {result.client_cpu:.0%} of a core; the server may be faster than it can ask."
        )
    if result.rate is None:
        said.append(
            "Closed loop: a connection asks when it was answered, so a slow server is asked less; "
            "give a rate to see what users who do not wait would see."
        )
    return tuple(said)


def print_load(result: LoadResult) -> None:
    """Print the table and the remarks."""
    from rich.console import Console

    console = Console(highlight=False)
    table = load_table(result)
    rate = "as fast as it answers" if result.rate is None else f"{result.rate:g} requests a second"
    console.print(
        f"{result.url}, {result.face}, batch {result.batch}, {result.connections} connections, {rate}, "
        f"{result.seconds:.1f} s",
        markup=False, soft_wrap=True,
    )  # fmt: skip
    for head, cell in zip(table.head, table.rows[0], strict=True):
        console.print(f"  {head:<10} {cell:>12}", markup=False)
    for remark in remarks(result):
        console.print(remark, markup=False, soft_wrap=True)
