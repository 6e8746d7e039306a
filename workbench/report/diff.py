"""The difference of two models in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbench.core.records.graph_diff import GraphDiff, NodeChange, NodeFacts, WeightChange, WeightFacts

_WIDTH_IN_A_FILE = 132
_MOST_ROWS = 60
_COLOURS = {"+": "green", "-": "red", "~": "yellow", "=": "dim", "><": "cyan", "<>": "cyan"}
_LISTED = 3
_NAMED = 2
Row = tuple[str, ...]


def print_diff(diff: GraphDiff, *, every: bool = False) -> None:
    """Print the sentences, then nodes and weights that differ.

    Args:
        diff: What to show.
        every: Show what is the same as well, and all rows.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH_IN_A_FILE)
    console.print(f"{diff.before.name} ({diff.before.label}) to {diff.after.name} ({diff.after.label})", markup=False)
    for sentence in diff.sentences:
        console.print(f"  {sentence}", markup=False)
    nodes = Table(
        Column("", no_wrap=True), Column("before", overflow="fold"), Column("after", overflow="fold"),
        Column("difference", overflow="fold"), box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0),
    )  # fmt: skip
    _fill(nodes, list(_nodes(diff, every=every)), console, every=every)
    heads = ("bits", "kB", "zeros %", "distinct", "largest", "mean")
    weights = Table(
        Column("weight", overflow="fold"), Column("shape", overflow="fold"),
        *(Column(head, justify="right", no_wrap=True) for head in heads), Column("cause", overflow="fold"),
        box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0),
    )  # fmt: skip
    _fill(weights, [_weight(each) for each in diff.weights if every or not each.identical], console, every=every)


def _fill(table: Table, rows: list[Row], console: Console, *, every: bool) -> None:
    if not rows:
        return
    shown = rows if every else rows[:_MOST_ROWS]
    for row in shown:
        colour = _COLOURS.get(row[0], "")
        # Names come from files: they are no markup.
        table.add_row(*(Text(cell, style=colour if index == 0 else "") for index, cell in enumerate(row)))
    console.print(table)
    if len(shown) < len(rows):
        console.print(f"  … and {len(rows) - len(shown)} more; --all shows them, --json has everything")


def _nodes(diff: GraphDiff, *, every: bool) -> Iterator[Row]:
    for match in diff.matched:
        if match.changes or every:
            changes = "; ".join(_change(change) for change in match.changes)
            yield "~" if match.changes else "=", _node(match.before), _node(match.after), changes
    for fusion in diff.fused:
        sign = "><" if len(fusion.before) >= len(fusion.after) else "<>"
        remarks = filter(None, (fusion.why, *(_change(change) for change in fusion.changes)))
        yield sign, _several(fusion.before), _several(fusion.after), "; ".join(remarks)
    for sign, nodes in (("-", diff.removed), ("+", diff.added)):
        for said, names in _alike(nodes, every=every):
            yield sign, *((said, "") if sign == "-" else ("", said)), names


def _alike(nodes: tuple[NodeFacts, ...], *, every: bool) -> Iterator[tuple[str, str]]:
    """Give nodes that only one graph has, those of an operator together."""
    cases: dict[str, list[str]] = {}
    for node in nodes:
        cases.setdefault(_node(node) if every else node.operator, []).append(node.name)
    for said, names in cases.items():
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield (said, "") if every else (f"{len(names)} {said}", ", ".join(names[:_NAMED]) + more)


def _node(node: NodeFacts) -> str:
    return f"{node.operator} {node.name}"


def _several(nodes: tuple[NodeFacts, ...]) -> str:
    if len(nodes) == 1:
        return _node(nodes[0])
    more = f" + {len(nodes) - _LISTED} more" if len(nodes) > _LISTED else ""
    return f"{' + '.join(node.operator for node in nodes[:_LISTED])}{more} {nodes[0].name}"


def _change(change: NodeChange) -> str:
    return f"{change.what} {_value(change.before)} to {_value(change.after)}"


def _value(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return "x".join("?" if each is None else str(each) for each in value)
    return "none" if value is None else str(value)


def _weight(change: WeightChange) -> Row:
    pair = change.before, change.after
    return (
        change.label,
        _both(pair, lambda facts: "x".join(map(str, facts.shape)) or "1"),
        _both(pair, lambda facts: str(facts.bits)),
        _both(pair, lambda facts: f"{facts.bytes / 1000:.1f}"),
        _both(pair, lambda facts: f"{100 * facts.sparsity:.0f}"),
        _both(pair, lambda facts: str(facts.distinct)),
        "" if change.largest is None else f"{change.largest:.2g}",
        "" if change.mean is None else f"{change.mean:.2g}",
        change.cause or ("identical" if change.identical else ""),
    )


def _both(pair: tuple[WeightFacts | None, WeightFacts | None], told: Callable[[WeightFacts], str]) -> str:
    """Tell a fact of both, once where it is the same."""
    before, after = ("-" if facts is None else told(facts) for facts in pair)
    return before if before == after else f"{before} to {after}"
