"""The road in a terminal: progress while it goes, a table at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

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
from rich.table import Table

from workbench.report.table import variants_table

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from workbench.core.events import Event
    from workbench.core.records import RoadReport


class RoadProgress:
    """Progress bars, one a step, fed with the road's events."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet)
        self._bars = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("[bold]{task.fields[step]:<9}[/] {task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
        )
        self._task: TaskID | None = None
        self._step = ""

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._finish()
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
        self._step = step
        self._task = self._bars.add_task(text, step=step, total=None)

    def _finish(self) -> None:
        if self._task is not None:
            self._bars.update(self._task, completed=1, total=1)


def print_road(report: RoadReport, page: Path) -> None:
    """Print the final table, the verdict, the run folder and the report's path."""
    console = Console()
    cells = variants_table(report.variants)
    table = Table(title=f"{report.dataset}, recipe {report.recipe}, {report.seconds:.0f} s", title_justify="left")
    for index, head in enumerate(cells.head):
        table.add_column(head, justify="left" if index == 0 else "right", no_wrap=True)
    for row in cells.rows:
        table.add_row(*row, style="red" if row[-1] == "FAIL" else None)
    console.print(table)
    for stats in report.serving:
        console.print(
            f"served {stats.model}: {stats.requests} requests, {stats.errors} errors, "
            f"p50 {stats.p50_ms or 0:.2f} ms, p95 {stats.p95_ms or 0:.2f} ms",
            highlight=False,
        )
    word, colour = ("passed", "green") if report.verdict.passed else ("failed", "red")
    console.print(f"[bold {colour}]gate {word}[/]: {report.verdict.reasons}", highlight=False)
    console.print(f"run    {page.parents[1]}\nreport {page}", highlight=False, soft_wrap=True)
