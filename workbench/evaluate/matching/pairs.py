"""Which operation of one graph is which of another."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.evaluate.matching.alignment import align
from workbench.evaluate.matching.similarity import similarities
from workbench.evaluate.matching.steps import Step, steps_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from workbench.evaluate.graphs.base import ModelGraph

_ALIKE = 0.8
_FAR = 6
_SMALL = ("bias", "multiply", "batch_norm")


@dataclass
class Matching:
    """Operations of two graphs and which are the same.

    Attributes:
        before: Operations of the one.
        after: Operations of the other.
        there: Place in `after` by place in `before`.
        back: The other way round.
        whole: False where the graphs were too large to be aligned in one piece.
    """

    before: list[Step]
    after: list[Step]
    there: dict[int, int] = field(default_factory=dict)
    back: dict[int, int] = field(default_factory=dict)
    whole: bool = True

    def pair(self, place: int, other: int) -> None:
        """Note that two are the same."""
        self.there[place] = other
        self.back[other] = place

    def part(self, place: int) -> None:
        """Note that an operation of `before` is none of the other graph after all."""
        del self.back[self.there.pop(place)]

    def turned(self) -> Matching:
        """Return the same seen from the other graph."""
        return Matching(self.after, self.before, self.back, self.there, whole=self.whole)


def match(before: ModelGraph, after: ModelGraph) -> Matching:
    """Match two graphs: by their order, weights, names and attributes together, then what is left by each of these.

    It does not matter which graph comes first, and the same graphs are always matched in the same way.
    """
    ours, theirs = steps_of(before), steps_of(after)
    if _rank(theirs) < _rank(ours):  # where two ways are as good, the order of the arguments must not decide
        return _matched(theirs, ours).turned()
    return _matched(ours, theirs)


def _rank(steps: Sequence[Step]) -> Any:
    return len(steps), [(step.key, step.owner.operator, step.owner.name) for step in steps]


def _matched(ours: list[Step], theirs: list[Step]) -> Matching:
    found = Matching(ours, theirs)
    aligned, found.whole = align(ours, theirs)
    for place, other in aligned:
        found.pair(place, other)
    # What stands in another order: branches are written down in any.
    _by(found, lambda step: (step.key, step.digest) if step.distinctive else None)
    _by_likeness(found)
    _by(found, lambda step: (step.key, step.owner.name))
    _by_neighbours(found)
    _part_strangers(found)
    _part_torn(found)
    _by_neighbours(found)
    return found


def _left(steps: Iterable[Step], taken: dict[int, int]) -> list[Step]:
    return [step for step in steps if step.place not in taken]


def _by(found: Matching, trait: Callable[[Step], Any]) -> None:
    """Pair what is left and has a trait in common, in order; None is no trait."""
    waiting: defaultdict[Any, list[int]] = defaultdict(list)
    for step in _left(found.after, found.back):
        waiting[trait(step)].append(step.place)
    waiting.pop(None, None)
    for step in _left(found.before, found.there):
        others = waiting.get(trait(step))
        if others:
            found.pair(step.place, others.pop(0))


def _by_likeness(found: Matching) -> None:
    ours, theirs = _left(found.before, found.there), _left(found.after, found.back)
    pairs = sorted(similarities(ours, theirs), key=lambda pair: (-pair[2], pair[0], pair[1]))
    for row, column, alike in pairs:
        step, other = ours[row], theirs[column]
        free = step.place not in found.there and other.place not in found.back
        if free and alike >= _ALIKE and step.family == other.family:
            found.pair(step.place, other.place)


def _by_neighbours(found: Matching) -> None:
    """Pair what is left where what comes before or after it is paired, again and again."""
    waiting = _left(found.before, found.there)
    while waiting:
        for step in waiting:
            candidates = [
                place
                for place in _opposite(found, step)
                if place not in found.back and found.after[place].key == step.key
            ]
            if candidates:
                found.pair(step.place, min(candidates))
        left = _left(waiting, found.there)
        if len(left) == len(waiting):
            return
        waiting = left


def _opposite(found: Matching, step: Step) -> set[int]:
    """Return the places of the other graph that stand to its pairs as this step stands to their partners."""
    places: set[int] = set()
    for before in step.before:
        if before in found.there:
            places.update(found.after[found.there[before]].after)
    for after in step.after:
        if after in found.there:
            places.update(found.after[found.there[after]].before)
    return {place for place in places if place >= 0}


def _part_strangers(found: Matching) -> None:
    """Take apart what only had the same kind: another name, other settings, and nothing around it in common."""
    for place, other in sorted(found.there.items()):
        step, partner = found.before[place], found.after[other]
        alike = (
            step.has_kernel
            or step.owner.name == partner.owner.name
            or bool(step.owner.path & partner.owner.path)
            or step.attributes == partner.attributes
        )
        if not alike and (step.before or step.after) and not _neighbours(found, step, partner):
            found.part(place)


def _part_torn(found: Matching) -> None:
    """Take apart bias and activation inside a node whose layer is another one, unless their numbers are the same."""
    for place, other in sorted(found.there.items()):
        step, partner = found.before[place], found.after[other]
        inside = step.operation is not step.owner.operations[0] or partner.operation is not partner.owner.operations[0]
        if not inside or (step.digest and step.digest == partner.digest):
            continue
        ours, theirs = _layer(found.before, step), _layer(found.after, partner)
        if ours is None or theirs is None:
            continue
        if found.there.get(ours, theirs) != theirs or found.back.get(theirs, ours) != ours:
            found.part(place)


def _layer(steps: list[Step], step: Step) -> int | None:
    """Return the place of the layer whose result reaches a step through one bias, activation or move of its axes."""
    for _ in range(_FAR):
        if len(step.before) != 1 or step.before[0] < 0:
            return None
        step = steps[step.before[0]]
        if step.has_kernel:
            return step.place
        if not (step.plumbing or step.operation.kind in _SMALL):
            return None
    return None


def _neighbours(found: Matching, step: Step, partner: Step) -> bool:
    return any(
        place in theirs if place < 0 else found.there.get(place) in theirs
        for ours, theirs in ((step.before, partner.before), (step.after, partner.after))
        for place in ours
    )
