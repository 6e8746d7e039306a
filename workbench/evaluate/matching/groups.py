"""Nodes that are the same: one for one, or several that are one in the other graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.evaluate.graphs.kinds import ACTIVATIONS, COMPOSITE, KERNELS, PLUMBING
from workbench.evaluate.matching.folding import Folded, folded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.evaluate.matching.pairs import Matching
    from workbench.evaluate.matching.steps import Step

_RECURRENT = ("lstm", "gru", "rnn")
_FEWEST_PARTS = 2
_LAYERS = KERNELS | {"max_pool", "average_pool", "global_average_pool", "global_max_pool"}
FOLDED = "batch normalization was folded into kernel and bias"
CUT = "the range of the quantizer behind it starts at 0"
WRITTEN_OUT = "the one is written out in several"


@dataclass(frozen=True)
class Group:
    """Nodes of both graphs that do the same, by index.

    Attributes:
        before: Of the one graph; empty where they were added.
        after: Of the other; empty where they were removed.
        why: Why several became one, where that is not plain to see.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    why: str = ""


@dataclass(frozen=True)
class Grouping:
    """All nodes in groups, in the order of the graphs, and the batch normalizations that were folded.

    Attributes:
        groups: Every node of both graphs in one of them.
        folded: Folded in the graph after.
        unfolded: Folded in the graph before.
    """

    groups: tuple[Group, ...]
    folded: tuple[Folded, ...]
    unfolded: tuple[Folded, ...]


Node = tuple[int, int]  # side, index


class _Union:
    def __init__(self) -> None:
        self._parents: dict[Node, Node] = {}
        self.reasons: dict[Node, str] = {}

    def find(self, node: Node) -> Node:
        while (parent := self._parents.get(node, node)) != node:
            self._parents[node] = node = self._parents.get(parent, parent)
        return node

    def join(self, one: Node, other: Node, why: str = "") -> None:
        first, second = sorted((self.find(one), self.find(other)))
        if first != second:
            self._parents[second] = first
        if why:
            self.reasons[one] = why


def grouped(found: Matching) -> Grouping:
    """Put the nodes of matched operations together, with what was folded, fused or written out."""
    union = _Union()
    for place, other in found.there.items():
        union.join((0, found.before[place].node), (1, found.after[other].node))
    for one, other in _namesakes(found):
        union.join((0, one), (1, other))
    inside, outside = tuple(folded(found)), tuple(folded(found.turned()))
    for side, folds in enumerate((inside, outside)):
        for fold in folds:
            union.join((side, fold.norm.node), (side, fold.kernel.node), FOLDED)
    for side, (matching, folds) in enumerate(((found, inside), (found.turned(), outside))):
        for step, partner in _cut(matching):
            union.join((side, step.node), (side, partner.node), CUT)
        for step, parts in _written_out(matching, {fold.norm.place for fold in folds}):
            for part in parts:
                union.join((side, step.node), (1 - side, part.node), WRITTEN_OUT)
    return Grouping(tuple(_groups(union, found)), inside, outside)


def _namesakes(found: Matching) -> Iterator[Node]:
    """Give nodes of one name of which no operation was matched: another operator took the place."""
    waiting = {step.owner.name: step.node for step in _strangers(found.after, found.back)}
    for step in _strangers(found.before, found.there):
        if step.owner.name in waiting:
            yield step.node, waiting.pop(step.owner.name)


def _strangers(steps: list[Step], matched: dict[int, int]) -> list[Step]:
    """Return the first operation of each node of which none was matched."""
    known = {step.node for step in steps if step.place in matched}
    return list({step.node: step for step in reversed(steps) if step.node not in known}.values())[::-1]


def _groups(union: _Union, found: Matching) -> Iterator[Group]:
    members: dict[Node, tuple[list[int], list[int]]] = {}
    for side, steps in enumerate((found.before, found.after)):
        for node in dict.fromkeys(step.node for step in steps):
            members.setdefault(union.find((side, node)), ([], []))[side].append(node)
    reasons = {union.find(node): why for node, why in union.reasons.items()}
    for root, (before, after) in members.items():
        yield Group(tuple(before), tuple(after), reasons.get(root, ""))


def _cut(found: Matching) -> Iterator[tuple[Step, Step]]:
    """Give activations that are gone because a quantizer in their place has no negative numbers."""
    for step in found.before:
        if step.place in found.there or step.operation.kind not in ACTIVATIONS or len(step.before) != 1:
            continue
        before = step.before[0]
        if before < 0 or before not in found.there:
            continue
        behind = [found.after[place] for place in found.after[found.there[before]].after if place >= 0]
        if behind and all(_starts_at_zero(each) for each in behind):
            yield step, found.before[before]


def _starts_at_zero(step: Step) -> bool:
    attributes = step.operation.attributes
    return step.operation.kind == "quantize" and "least" in attributes and attributes["zero"] == attributes["least"]


def _written_out(found: Matching, folds: set[int]) -> Iterator[tuple[Step, list[Step]]]:
    """Give operations that the other graph has as several simpler ones in their place."""
    places = sorted(found.there)
    for step in found.before:
        if step.place in found.there or step.place in folds or step.operation.kind not in COMPOSITE:
            continue
        low = max((found.there[place] for place in places if place < step.place), default=-1)
        high = min((found.there[place] for place in places if place > step.place), default=len(found.after))
        parts = [part for part in found.after[low + 1 : high] if part.place not in found.back and _part(part)]
        fewest = 1 if step.operation.kind in _RECURRENT else _FEWEST_PARTS
        whole = step.operation.kind in _RECURRENT or not any(part.operation.kind in _LAYERS for part in parts)
        if whole and len([part for part in parts if part.operation.kind not in PLUMBING]) >= fewest:
            yield step, parts


def _part(step: Step) -> bool:
    return step.operation.kind not in ("quantize", "dequantize", "dropout")
