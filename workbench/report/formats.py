"""The map of formats in a terminal and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.core.records.formats import Edge, FormatMap

_WIDTH_IN_A_FILE = 132
_COLUMNS = ("from", "to", "with", "status", "bytes", "s", "max abs", "labels equal", "remark")
_COLOURS = {"passed": "green", "failed": "red", "parity failed": "red", "closed": "dim"}


def print_routes(found: FormatMap, *, further: bool = False) -> None:
    """Print the edges from the model, with `further` also those from what it can become."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH_IN_A_FILE)
    title = f"{found.model}, {found.start}" if found.start else "all edges"
    table = Table(
        *(Column(name, overflow="fold", justify="right" if name in _COLUMNS[4:8] else "left") for name in _COLUMNS),
        title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0),
    )  # fmt: skip
    for edge in found.edges if further or not found.start else found.direct:
        cells = _cells(edge)
        colour = _COLOURS.get(cells[3])
        table.add_row(*cells[:3], f"[{colour}]{cells[3]}[/]" if colour else cells[3], *cells[4:])
    console.print(table)


def routes_markdown(edges: Sequence[Edge]) -> str:
    """Return a Markdown table of edges."""
    rows = [_COLUMNS, ("---",) * len(_COLUMNS), *(_cells(edge) for edge in edges)]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows) + "\n"


def _cells(edge: Edge) -> tuple[str, ...]:
    parity = edge.parity
    remark = edge.error or " ".join(filter(None, (edge.reason, edge.alternative, edge.note)))
    return (
        edge.source,
        edge.target,
        f"{edge.tool} {edge.version or ''}".strip(),
        edge.status if edge.available else "closed",
        "" if edge.bytes is None else f"{edge.bytes:,}",
        "" if edge.seconds is None else f"{edge.seconds:.2f}",
        "" if parity is None else f"{parity.max_abs:.2g}",
        "" if parity is None else f"{parity.agreement:.1%} of {parity.samples:,}",
        remark,
    )
