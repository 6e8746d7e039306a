"""A sweep in a terminal: progress while it goes, its points and its frontier at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from workbench.core.records import SweepPoint
from workbench.sweep.metrics import shown, shown_with_interval

if TYPE_CHECKING:
    from types import TracebackType

    from workbench.core.events import Event
    from workbench.core.records import Repeated
    from workbench.sweep.handle import Sweep

_WIDTH_IN_A_FILE = 150
_COLUMNS = ("accuracy", "drop", "sparsity", "raw", "gzip", "packed", "p50_ms", "p95_ms")
_WIDE_ONLY = ("sparsity", "raw", "p50_ms")
_WIDTH_OF_ALL, _WIDTH_OF_INTERVALS = 110, 132


class SweepProgress:
    """One bar, fed with the events of a driving run; what failed and what was noted stands above it."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet)
        self._bar = Progress(
            TextColumn("[bold]sweep[/] {task.description}", table_column=Column(ratio=1)),
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            expand=True,
            console=self._console,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        self._task = self._bar.add_task("", total=None, left="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None and self._bar.tasks[self._task].total is None:
            # It ended before anything was done: a bar of nothing out of nothing says nothing.
            self._bar.update(self._task, visible=False)
        self._bar.stop()

    def show(self, event: Event) -> None:
        """Show one event."""
        match event.type:
            case "progress" if self._task is not None:
                data = event.data
                left = f"{data['seconds_left']:.0f} s left"
                self._bar.update(
                    self._task, completed=data["done"], total=data["total"], description=data["label"], left=left
                )
            case "point" if event.data["point"]["state"] == "failed":
                point = SweepPoint.from_json(event.data["point"])
                self._console.print(f"[red]failed[/] {point.label}: {point.reason}", highlight=False)
            case "note":
                self._console.print(f"[dim]{event.data['text']}[/]", highlight=False)


def print_sweep(sweep: Sweep) -> None:
    """Print every point, the frontier's marked, and what failed with its reason."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH_IN_A_FILE)
    columns = [name for name in _COLUMNS if console.width >= _WIDTH_OF_ALL or name not in _WIDE_ONLY]
    figure = shown_with_interval if console.width >= _WIDTH_OF_INTERVALS else shown
    members = {_identity(point) for point in sweep.frontier()}
    table = Table(
        title=f"{sweep.name}, {sweep.state}; * frontier of {', '.join(sweep.settings.objectives)}",
        title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0),
    )  # fmt: skip
    for head in ("", "point", *columns):
        table.add_column(head, justify="left" if head in ("", "point") else "right", no_wrap=head != "point")
    for point in sweep.compared():
        mark = "*" if _identity(point) in members else ""
        table.add_row(mark, point.label, *(figure(point, name) for name in columns), style="bold" if mark else None)
    console.print(table)
    for point in sweep.failed():
        console.print(f"[red]failed[/] {point.label}: {point.reason}", soft_wrap=True)
    if sentence := sweep.nothing_meets():
        console.print(sentence, soft_wrap=True)
    console.print(f"sweep  {sweep.folder.path}", soft_wrap=True)


def _identity(point: SweepPoint | Repeated) -> str:
    return point.key if isinstance(point, SweepPoint) else point.configuration
