"""What differs between nodes that are the same: operator, attributes, activation, shape and type of the result."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from workbench.core.records.graph_diff import NodeChange
from workbench.evaluate.graphs.kinds import ACTIVATIONS
from workbench.evaluate.matching.groups import CUT, WRITTEN_OUT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from workbench.evaluate.graphs.base import Axes, GraphNode, GraphTensor, ModelGraph
    from workbench.evaluate.matching.groups import Group, Grouping
    from workbench.evaluate.matching.pairs import Matching
    from workbench.evaluate.matching.steps import Step

# A number that says how something is written down, which only two of a kind can have in common.
_BOTH_OR_NONE = ("scale", "zero", "least", "output scale", "output zero")
_HALVES = 2


@dataclass(frozen=True)
class Sides:
    """Two graphs, their operations and which are the same.

    Attributes:
        before: The one graph.
        after: The other.
        found: Their operations.
        grouping: Their nodes.
    """

    before: ModelGraph
    after: ModelGraph
    found: Matching
    grouping: Grouping

    @cached_property
    def steps(self) -> tuple[dict[int, list[Step]], dict[int, list[Step]]]:
        """The operations of each node, of either graph."""
        of_nodes: tuple[dict[int, list[Step]], dict[int, list[Step]]] = ({}, {})
        for found, steps in zip(of_nodes, (self.found.before, self.found.after), strict=True):
            for step in steps:
                found.setdefault(step.node, []).append(step)
        return of_nodes

    @cached_property
    def folding(self) -> frozenset[int]:
        """Identities of the operations that folding a batch normalization brought about or took away."""
        folds = (*self.grouping.folded, *self.grouping.unfolded)
        return frozenset(id(step) for fold in folds for step in (fold.norm, fold.other_bias) if step is not None)

    @property
    def alike(self) -> bool:
        """Whether both say things in the same words."""
        return self.before.family == self.after.family


def changes_of(sides: Sides, group: Group) -> tuple[NodeChange, ...]:
    """Return what differs in a group that both graphs have."""
    before = [sides.before.nodes[index] for index in group.before]
    after = [sides.after.nodes[index] for index in group.after]
    changes = [*_operations(sides, group), *_left_over(sides, group)]
    if sides.alike and len(before) == len(after) == 1:
        changes += _own(before[0], after[0], sides.before.family)
    changes += _results(sides, before[-1], after[-1])
    return tuple({(change.what, repr(change.before), repr(change.after)): change for change in changes}.values())


def _operations(sides: Sides, group: Group) -> Iterator[NodeChange]:
    for step in (step for index in group.before for step in sides.steps[0][index]):
        other = sides.found.there.get(step.place)
        if other is not None:
            partner = sides.found.after[other].operation
            if sides.alike and step.operation.kind not in (partner.kind, "other"):
                yield NodeChange(what="kind", before=step.operation.kind, after=partner.kind)
            yield from _attributes(step.operation.attributes, partner.attributes, alike=sides.alike)


def _attributes(ours: Mapping[str, Any], theirs: Mapping[str, Any], *, alike: bool) -> Iterator[NodeChange]:
    for name in dict.fromkeys((*ours, *theirs)):
        both = name in ours and name in theirs
        if not both and (not alike or name in _BOTH_OR_NONE):
            continue
        if name == "axis" and not alike:  # of tensors whose axes have another order
            continue
        before, after = ours.get(name), theirs.get(name)
        if not _equal(name, before, after, {**theirs, **ours}):
            yield NodeChange(what=name, before=before, after=after)


def _equal(name: str, before: Any, after: Any, around: Mapping[str, Any]) -> bool:
    if before == after:
        return True
    if not isinstance(before, (tuple, list)) and not isinstance(after, (tuple, list)):
        return False
    if name == "padding":
        return _same_padding(before, after, around) if "same" in (before, after) else _plain(before) == _plain(after)
    return name in ("strides", "dilations", "window") and _plain(before, 1) == _plain(after, 1)


def _plain(values: Any, nothing: int = 0) -> list[int]:
    """Leave out the axes that one format has more than another, along which nothing happens."""
    return [value for value in values if value != nothing] if isinstance(values, (tuple, list)) else [-1]


def _same_padding(before: Any, after: Any, around: Mapping[str, Any]) -> bool:
    """Say whether zeros around may be those of SAME, for an input whose size the one file does not tell."""
    del around
    zeros = list(after if before == "same" else before)
    half = len(zeros) // _HALVES
    return all(0 <= last - first <= 1 for first, last in zip(zeros[:half], zeros[half:], strict=True))


def _left_over(sides: Sides, group: Group) -> Iterator[NodeChange]:
    """Tell of operations of these nodes that the other graph has nowhere."""
    if group.why == WRITTEN_OUT:
        return
    left = [
        [step for index in nodes for step in steps[index] if step.place not in taken and id(step) not in sides.folding]
        for steps, nodes, taken in zip(
            sides.steps, (group.before, group.after), (sides.found.there, sides.found.back), strict=True
        )
    ]
    activations = [[step for step in steps if step.operation.kind in ACTIVATIONS] for steps in left]
    told = group.why == CUT and len(group.before) + len(group.after) > _HALVES
    for index in range(0 if told else max(map(len, activations))):
        before, after = (steps[index].operation.kind if index < len(steps) else None for steps in activations)
        yield NodeChange(what="activation", before=before, after=after)
    for side, steps in enumerate(left):
        for step in steps:
            if step.operation.kind not in ACTIVATIONS:
                said = _said(step)
                yield NodeChange(what=said[0], before=None if side else said[1], after=said[1] if side else None)


def _said(step: Step) -> tuple[str, str]:
    weights = step.operation.weights
    if step.operation.kind == "bias" and weights:
        return "bias", "numbers" if weights[0].values.any() else "zeros"
    return "operation", step.operation.kind


def _own(before: GraphNode, after: GraphNode, family: str) -> Iterator[NodeChange]:
    if before.operator != after.operator:
        yield NodeChange(what="operator", before=before.operator, after=after.operator)
        return  # their attributes are not the same ones
    # Both Keras leave out settings that the other one writes down.
    names = [name for name in before.attributes if name in after.attributes]
    if family != "keras":
        names = list(dict.fromkeys((*before.attributes, *after.attributes)))
    for name in names:
        one, other = before.attributes.get(name), after.attributes.get(name)
        if one != other and not (name in _BOTH_OR_NONE and None in (one, other)):
            yield NodeChange(what=name, before=one, after=other)


def _results(sides: Sides, before: GraphNode, after: GraphNode) -> Iterator[NodeChange]:
    if not before.outputs or not after.outputs:
        return
    one, other = sides.before.tensors.get(before.outputs[0]), sides.after.tensors.get(after.outputs[0])
    if one is not None and other is not None:
        yield from tensor_changes("output", one, other, alike=sides.alike, batch=False)


def tensor_changes(
    what: str, one: GraphTensor, other: GraphTensor, *, alike: bool, batch: bool = True
) -> Iterator[NodeChange]:
    """Compare shape and type of two tensors.

    Args:
        what: What they are called in the change.
        one: In the one graph.
        other: In the other.
        alike: Whether both are of one family, so that their axes have the same order.
        batch: Whether the first axis counts.
    """
    if (
        one.shape is not None
        and other.shape is not None
        and not _fits(one.shape, other.shape, alike=alike, batch=batch)
    ):
        yield NodeChange(what=f"{what} shape", before=one.shape, after=other.shape)
    if one.dtype and other.dtype and one.dtype != other.dtype:
        yield NodeChange(what=f"{what} dtype", before=one.dtype, after=other.dtype)


def _fits(one: Axes, other: Axes, *, alike: bool, batch: bool) -> bool:
    if batch and one[:1] != other[:1]:
        return False
    start = 0 if batch else 1
    if _open_fits(one[start:], other[start:]):
        return True
    if alike:
        return False
    # Formats put channels first or last, and some keep axes of one element.
    left, right = ([axis for axis in axes[1:] if axis != 1] for axes in (one, other))
    return any(_open_fits(left, turned) for turned in (right, [*right[1:], *right[:1]], [*right[-1:], *right[:-1]]))


def _open_fits(one: Sequence[int | None], other: Sequence[int | None]) -> bool:
    return len(one) == len(other) and all(None in pair or pair[0] == pair[1] for pair in zip(one, other, strict=True))
