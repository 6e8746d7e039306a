"""The map of formats as nodes and ways that can be drawn, and what is said of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.language import _

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workbench.core.records.formats import Edge, FormatMap

_RANK = ("passed", "running", "parity failed", "failed", "untried")
_TONES = {"passed": "good", "running": "busy", "parity failed": "bad", "failed": "bad", "untried": "open"}
_MARKS = {"good": "✓", "bad": "✗", "busy": "…", "open": "", "closed": "⊘"}
_KILO, _MEGA = 1000, 1_000_000


def pairs(found: FormatMap) -> dict[tuple[str, str], list[Edge]]:
    """Return the edges by where they lead from and to, the one that says most first."""
    grouped: dict[tuple[str, str], list[Edge]] = {}
    for edge in found.edges:
        grouped.setdefault((edge.source, edge.target), []).append(edge)
    return {pair: sorted(edges, key=_rank) for pair, edges in grouped.items()}


def drawn(found: FormatMap) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return nodes and ways: what the model becomes, and what that can become where it was made."""
    nodes = [{"id": found.start, "column": 0, "name": _name(found.start), "detail": found.model, "said": found.start}]
    ways: list[dict[str, Any]] = []
    known = {found.start}
    for column, sources in ((1, [found.start]), (2, _made(found))):
        for (source, target), edges in pairs(found).items():
            if source in sources and target not in known:
                known.add(target)
                nodes.append(_node(edges[0], column))
                ways.append(_way(edges[0]))
    return nodes, ways


def reach(found: FormatMap, target: str) -> list[Edge]:
    """Return the edges to a node of the drawing, one a program; none for the model itself."""
    by_pair = pairs(found)
    for source in (found.start, *_made(found)):
        if (source, target) in by_pair and target != found.start:
            return by_pair[source, target]
    return []


def open_edges(found: FormatMap) -> list[Edge]:
    """Return the usual edge of each pair that leads on from the model and was not gone yet."""
    first = {target: edges[0] for (source, target), edges in pairs(found).items() if source == found.start}
    return [edge for edge in first.values() if edge.available and edge.status not in ("passed", "running")]


def rows(edges: Iterable[Edge]) -> list[dict[str, Any]]:
    """Return one row a program."""
    return [
        {
            "tool": f"{edge.tool} {edge.version or ''}".strip(),
            "status": state(edge),
            "agreement": None if edge.parity is None else edge.parity.agreement,
            "max_abs": None if edge.parity is None else edge.parity.max_abs,
            "samples": None if edge.parity is None else edge.parity.samples,
            "size": "–" if edge.bytes is None else size(edge.bytes),
            "seconds": edge.seconds,
            "remark": edge.error or " ".join(filter(None, (edge.reason, edge.alternative, edge.note))),
        }
        for edge in edges
    ]


def columns() -> list[dict[str, Any]]:
    """Return the columns of these rows."""
    return [
        {"name": "tool", "label": _("Program")},
        {"name": "status", "label": _("Status")},
        {"name": "agreement", "label": _("Labels equal"), "format": "share",
         "tooltip": _("Share of samples that both models give the same label")},
        {"name": "max_abs", "label": _("Largest difference"), "format": "number",
         "tooltip": _("Of any output, on the same samples")},
        {"name": "samples", "label": _("Samples"), "format": "int"},
        {"name": "size", "label": _("Size")},
        {"name": "seconds", "label": _("Seconds"), "format": "number"},
    ]  # fmt: skip


def state(edge: Edge) -> str:
    """Say how an edge stands."""
    if not edge.available and edge.status == "untried":
        return _("closed")
    words = {
        "passed": _("passed"), "running": _("running"), "parity failed": _("parity failed"), "failed": _("failed"),
        "untried": _("not tried"),
    }  # fmt: skip
    return words[edge.status]


def size(count: float) -> str:
    """Write a count of bytes."""
    return f"{count / _MEGA:.1f} MB" if count >= _MEGA else f"{count / _KILO:.1f} kB"


def made_of(edges: Sequence[Edge]) -> Edge | None:
    """Return the edge whose result is there, if one is."""
    return next((edge for edge in edges if edge.artifact is not None and edge.status == "passed"), None)


def _made(found: FormatMap) -> list[str]:
    return list(
        dict.fromkeys(edge.target for edge in found.direct if edge.status == "passed" and edge.artifact is not None)
    )


def _rank(edge: Edge) -> tuple[int, bool]:
    return _RANK.index(edge.status), not edge.available


def _tone(edge: Edge) -> str:
    return "closed" if not edge.available and edge.status == "untried" else _TONES[edge.status]


def _node(edge: Edge, column: int) -> dict[str, Any]:
    equal = _("{share} of the labels equal").format(share=_measured(edge)) if edge.parity is not None else ""
    parts = [edge.target, state(edge), equal, "" if edge.bytes is None else size(edge.bytes)]
    return {
        "id": edge.target,
        "column": column,
        "name": _name(edge.target),
        "detail": "" if edge.bytes is None else size(edge.bytes),
        "said": ", ".join(filter(None, parts)),
        "title": edge.error or edge.reason or edge.note or edge.tool,
    }


def _way(edge: Edge) -> dict[str, Any]:
    tone = _tone(edge)
    label = _measured(edge) or ("" if tone == "open" else state(edge))
    return {"source": edge.source, "target": edge.target, "tone": tone, "mark": _MARKS[tone], "label": label}


def _measured(edge: Edge) -> str:
    return "" if edge.parity is None else f"{100 * edge.parity.agreement:.1f} %"


def _name(label: str) -> str:
    return label.replace("/", " ")
