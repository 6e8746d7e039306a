"""The difference of two models on screen: in words, node by node, weight by weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.language import _
from workbench.panels.base import stack
from workbench.widgets.data_table import DataTable
from workbench.widgets.remarks import Remarks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.core.records import GraphDiff, NodeChange, NodeFacts, WeightFacts


class DiffView:
    """Shows what `diff` found.

    Attributes:
        widget: What is put on the page.
    """

    def __init__(self) -> None:
        self.words = Remarks(title=_("What differs"))
        self.nodes = DataTable(
            title=_("Nodes that differ"),
            columns=[
                {"name": "what", "label": _("Change")},
                {"name": "before", "label": _("Before")},
                {"name": "after", "label": _("After")},
                {"name": "details", "label": _("Details")},
            ],
        )
        self.weights = DataTable(
            title=_("Weights"),
            columns=[
                {"name": "label", "label": _("Weight")},
                {"name": "before", "label": _("Before")},
                {"name": "after", "label": _("After")},
                {"name": "largest", "label": _("Largest difference"), "format": "number"},
                {"name": "cause", "label": _("Cause")},
            ],
        )
        self.widget = stack(self.words, self.nodes, self.weights)

    def clear(self) -> None:
        """Show nothing."""
        self.words.items, self.nodes.rows, self.weights.rows = [], [], []

    def show(self, found: GraphDiff) -> None:
        """Show a difference."""
        topic = f"{found.before.label} → {found.after.label}"
        self.words.items = [
            {"topic": topic if not number else "", "text": said} for number, said in enumerate(found.sentences)
        ]
        self.nodes.rows = _nodes(found)
        self.weights.rows = [
            {
                "label": change.label,
                "before": _stored(change.before),
                "after": _stored(change.after),
                "largest": 0.0 if change.identical else change.largest,
                "cause": change.cause or (_("the same numbers") if change.identical else ""),
            }
            for change in found.weights
        ]


def _nodes(found: GraphDiff) -> list[dict[str, Any]]:
    changed = [(_("changed"), (each.before,), (each.after,), _changes(each.changes)) for each in found.changed]
    fused = [(_("fused"), each.before, each.after, each.why or _changes(each.changes)) for each in found.fused]
    removed = [(_("removed"), (each,), (), "") for each in found.removed]
    added = [(_("added"), (), (each,), "") for each in found.added]
    return [
        {"what": what, "before": _names(before), "after": _names(after), "details": details}
        for what, before, after, details in [*changed, *fused, *removed, *added]
    ]


def _names(nodes: Iterable[NodeFacts]) -> str:
    return " + ".join(f"{node.operator} {node.name}" for node in nodes) or "–"


def _changes(changes: Iterable[NodeChange]) -> str:
    return "; ".join(f"{change.what}: {change.before} → {change.after}" for change in changes)


def _stored(weight: WeightFacts | None) -> str:
    if weight is None:
        return "–"
    shape = "×".join(str(axis) for axis in weight.shape) or "1"
    return f"{weight.dtype} {shape}, " + _("{share} % zeros").format(share=f"{100 * weight.sparsity:.0f}")
