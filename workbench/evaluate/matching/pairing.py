"""Which weights belong together, once it is known which operations do."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from workbench.evaluate.graphs.kinds import KERNELS
from workbench.evaluate.matching.weights import FOLDED, Subject, compared, one_sided

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from workbench.core.records.graph_diff import WeightChange
    from workbench.evaluate.graphs.base import Weight
    from workbench.evaluate.matching.changes import Sides
    from workbench.evaluate.matching.steps import Step

_FAR = 8
Values = tuple["NDArray[Any] | None", "NDArray[Any] | None"]


def weight_changes(sides: Sides) -> Iterator[WeightChange]:
    """Compare the weights of all operations, in the order of the graph before, then what only the other has."""
    found = sides.found
    moved = _moved(sides)
    for step in found.before:
        other = found.there.get(step.place)
        if other is None:
            yield from _alone(sides, step, 0, moved)
        else:
            yield from _of_pair(sides, step, found.after[other])
    for step in found.after:
        if step.place not in found.back:
            yield from _alone(sides, step, 1, moved)


def _moved(sides: Sides) -> dict[int, Weight | None]:
    """Return the same weight in an operation of another kind, by the weight's id; None for those of the other graph.

    A layer norm's scale is a factor in a graph that writes it out.
    """
    found = sides.found
    waiting: defaultdict[bytes, list[Weight]] = defaultdict(list)
    for step in found.after:
        if step.place not in found.back and step.distinctive:
            for weight in step.operation.weights:
                waiting[weight.digest].append(weight)
    moved: dict[int, Weight | None] = {}
    for step in found.before:
        if step.place not in found.there and step.distinctive:
            for weight in step.operation.weights:
                if waiting[weight.digest]:
                    moved[id(weight)] = waiting[weight.digest].pop(0)
                    moved[id(moved[id(weight)])] = None
    return moved


def _of_pair(sides: Sides, step: Step, partner: Step) -> Iterator[WeightChange]:
    theirs = list(partner.operation.weights)
    for weight in step.operation.weights:
        subject = Subject(step.owner.name, weight.role, _channels(step, sides.found.before))
        same = next((each for each in theirs if each.role == weight.role), None)
        if same is None:
            yield one_sided(subject, weight, None)
            continue
        theirs.remove(same)
        yield compared(subject, weight, same, _folded(sides, step, partner))
    for weight in theirs:
        yield one_sided(Subject(step.owner.name, weight.role), None, weight)


def _folded(sides: Sides, step: Step, partner: Step) -> Values:
    """Return what the weights of a pair mean with the batch normalization that the other one has inside."""
    for fold in sides.grouping.folded:
        if step is fold.kernel:
            return fold.values[0], None
        if partner is fold.other_bias:
            return fold.values[1], None
    for fold in sides.grouping.unfolded:
        if partner is fold.kernel:
            return None, fold.values[0]
        if step is fold.other_bias:
            return None, fold.values[1]
    return None, None


def _alone(sides: Sides, step: Step, side: int, moved: dict[int, Weight | None]) -> Iterator[WeightChange]:
    """Tell of the weights of an operation that the other graph has nowhere, or has folded."""
    own, others = (sides.grouping.folded, sides.grouping.unfolded)[:: -1 if side else 1]
    cause = FOLDED if any(step is fold.norm for fold in own) else ""
    made = next((fold for fold in others if step is fold.other_bias), None)
    for weight in step.operation.weights:
        before, after = (None, weight) if side else (weight, None)
        if id(weight) in moved:
            other = moved[id(weight)]
            if other is not None:
                yield compared(Subject(step.owner.name, weight.role), weight, other)
        elif made is None:
            yield one_sided(Subject(step.owner.name, weight.role), before, after, cause)
        else:
            yield _new_bias(Subject(made.kernel.owner.name, weight.role), weight, made.values[1], side)


def _new_bias(subject: Subject, weight: Weight, values: NDArray[Any], side: int) -> WeightChange:
    """Compare a bias that only folding brought about with what folding gives."""
    found = compared(subject, weight, weight, (values, None))
    return found.model_copy(update={"before" if side else "after": None, "identical": False})


def _channels(step: Step, steps: list[Step]) -> int:
    """Return the channels of the convolution before a dense layer, which may be flattened first or last."""
    if step.operation.kind != "dense":
        return 0
    for _ in range(_FAR):
        if len(step.before) != 1 or step.before[0] < 0:
            return 0
        step = steps[step.before[0]]
        weights = step.operation.weights
        if step.operation.kind in KERNELS and weights:
            return int(weights[0].values.shape[0]) if step.operation.kind != "dense" else 0
    return 0
