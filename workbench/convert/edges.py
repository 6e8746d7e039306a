"""Every edge of the map of formats, read from the converters: none is listed a second time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.convert.base import Converter, Tool, converters
from workbench.core.records.formats import Edge

if TYPE_CHECKING:
    from collections.abc import Iterator


def edges_here() -> tuple[Edge, ...]:
    """Return the edges that some model could go, those closed by a missing package with the line that opens them.

    Nothing is imported but the converters, which import no framework.
    """
    return tuple(edge for name in converters.names() for edge in _edges_to(name, converters.get(name)))


def _edges_to(name: str, unit: type[Converter]) -> Iterator[Edge]:
    for source in unit.sources:
        for numeric in unit.numerics:
            given = numeric if unit.keeps_numeric else "float32"
            if f"{source}/{given}" == f"{name}/{numeric}":
                continue
            for tool in unit.tools(source, numeric):
                yield _edge(f"{source}/{given}", f"{name}/{numeric}", tool)


def _edge(source: str, target: str, tool: Tool) -> Edge:
    found = tool.installed
    if found is not None:
        return Edge(source=source, target=target, tool=tool.name, version=found, note=tool.note)
    return Edge(
        source=source,
        target=target,
        tool=tool.name,
        version=None,
        available=False,
        reason=f"{tool.package} is not installed.",
        alternative=pip_line(tool),
        note=tool.note,
    )


def pip_line(tool: Tool) -> str:
    """Return the command that installs what a tool needs."""
    return f"pip install 'lastmile-workbench[{tool.extra}]'" if tool.extra else "pip install lastmile-workbench"
