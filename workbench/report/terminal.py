"""The road in a terminal: progress while it goes, a table at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column, Table

from workbench.report.table import variants_table

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from workbench.core.events import Event
    from workbench.core.records import RoadReport

_WIDTH_IN_A_FILE = 132
_WIDTH_OF_ALL = 126


class RoadProgress:
    """Progress bars, one a step, fed with the road's events."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet)
        self._bars = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("[bold]{task.fields[step]:<9}[/] {task.description}", table_column=Column(ratio=1)),
            BarColumn(bar_width=16),
            TimeElapsedColumn(table_column=Column(no_wrap=True)),
            TimeRemainingColumn(table_column=Column(no_wrap=True)),
            expand=True,
            console=self._console,
        )
        self._task: TaskID | None = None
        self._step = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._finish()
        if self._task is not None:
            self._bars.stop()

    def show(self, event: Event) -> None:
        """Show one event of the road."""
        match event.type:
            case "step":
                self._on_step(event.data["step"], event.data["text"])
            case "progress" if self._task is not None:
                self._bars.update(self._task, completed=event.data["done"], total=event.data["total"])
            case "note":
                self._console.print(f"[dim]{event.data['text']}[/]", highlight=False)

    def _on_step(self, step: str, text: str) -> None:
        if step == self._step and self._task is not None:
            self._bars.update(self._task, description=text)
            return
        self._finish()
        self._bars.start()
        self._step = step
        self._task = self._bars.add_task(text, step=step, total=None)

    def _finish(self) -> None:
        if self._task is not None:
            self._bars.update(self._task, completed=1, total=1)


def print_road(report: RoadReport, page: Path) -> None:
    """Print the final table, the verdict, the run folder and the report's path."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH_IN_A_FILE)
    cells = variants_table(report.variants)
    if console.width < _WIDTH_OF_ALL:
        cells = cells.without("95 % interval", "zeros %", "raw kB", "p95 ms")
    title = f"{report.dataset}, recipe {report.recipe}, {report.seconds:.0f} s"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for index, head in enumerate(cells.head):
        table.add_column(head, justify="left" if index == 0 else "right", no_wrap=True)
    for row in cells.rows:
        table.add_row(*row, style="red" if row[-1] == "FAIL" else None)
    console.print(table)
    for stats in report.serving:
        console.print(
            f"served {stats.model}: {stats.requests} requests, {stats.errors} errors, "
            f"p50 {stats.p50_ms or 0:.2f} ms, p95 {stats.p95_ms or 0:.2f} ms"
        )
    word, colour = ("passed", "green") if report.verdict.passed else ("failed", "red")
    console.print(f"[bold {colour}]gate {word}[/]")
    for line in report.verdict.lines:
        if not line.passed:
            console.print(f"  {line.reason}", soft_wrap=True)
    console.print(f"run    {page.parents[1]}\nreport {page}", soft_wrap=True)
