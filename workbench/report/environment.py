"""What the doctor found, in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.core.records.environment import Environment, Machine

_GIB = 2**30
_WIDTH_IN_A_FILE = 132


def print_environment(found: Environment) -> None:
    """Print machine, packages, what works, closed edges, and last what to do."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH_IN_A_FILE)
    for line in _machine(found.machine):
        console.print(line)
    installed = [f"{each.name} {each.version}" for each in found.packages if each.version is not None]
    console.print(f"\n[bold]installed[/]   {', '.join(installed)}")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("what", "works", "why not, and what to do"):
        table.add_column(title)
    for each in found.abilities:
        advice = escape(f"{each.reason} {each.mend}".strip())  # `[train]` of a pip line is no markup
        table.add_row(each.name, "[green]yes[/]" if each.works else "[red]no[/]", advice)
    console.print(table)
    closed = [edge for edge in found.edges if not edge.available]
    console.print(f"[bold]conversions[/] {len(found.edges) - len(closed)} of {len(found.edges)} edges are open; "
                  "`workbench routes` lists them.")  # fmt: skip
    for edge in closed:
        console.print(f"  {edge.source} -> {edge.target} with {edge.tool}: "
                      f"{escape(f'{edge.reason} {edge.alternative}')}")  # fmt: skip
    for sentence in (*(f"{each.conflict} {each.mend}" for each in found.packages if each.conflict), *found.warnings):
        console.print(f"[yellow]![/] {escape(sentence)}")
    console.print("[green]Nothing contradicts.[/]" if found.healthy else "[red]Something is wrong; see above.[/]")


def _machine(machine: Machine) -> Iterable[str]:
    yield f"[bold]machine[/]     {machine.cpu}, of which {machine.cores} for us; {machine.system}"
    yield f"            Python {machine.python}"
    yield f"            {', '.join(machine.features) or 'instruction sets unknown'}"
    yield f"            GPU: {', '.join(machine.gpus) or 'none'}"
    memory = f"{machine.memory_free_bytes / _GIB:.1f} of {machine.memory_bytes / _GIB:.1f} GiB of memory free"
    yield f"            {memory}, {machine.disk_free_bytes / _GIB:.1f} GiB of disk at {machine.home}"
