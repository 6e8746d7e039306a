"""A graph as a sequence of operations with what can tell two of them apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.evaluate.graphs.kinds import FAMILIES, PLUMBING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.evaluate.graphs.base import GraphNode, ModelGraph, Operation

_KERNEL_AXES = 2


@dataclass(frozen=True, eq=False)
class Step:
    """One operation of a node.

    Attributes:
        place: Its index in the sequence.
        node: Index of its node.
        owner: That node.
        operation: What it calculates.
        before: Places of the steps that it takes results of; −1 − n is the n-th input of the model.
        after: Places of the steps that take its result; −1 − n is the n-th output of the model.
    """

    place: int
    node: int
    owner: GraphNode
    operation: Operation
    before: tuple[int, ...]
    after: tuple[int, ...]

    @property
    def key(self) -> str:
        """Equal where two steps calculate the same; an unknown operator is like its namesakes only."""
        kind = self.operation.kind
        return f"other:{self.owner.operator}" if kind == "other" else kind

    @property
    def family(self) -> str:
        """Equal where two steps may stand for each other."""
        return FAMILIES.get(self.operation.kind, self.key)

    @property
    def plumbing(self) -> bool:
        """Whether it calculates nothing."""
        return self.operation.kind in PLUMBING

    @property
    def digest(self) -> tuple[bytes, ...]:
        """Equal where all weights are."""
        return tuple(weight.digest for weight in self.operation.weights)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of its first weight without axes of one element, which some formats leave out."""
        weights = self.operation.weights
        return tuple(axis for axis in weights[0].values.shape if axis != 1) if weights else ()

    @property
    def has_kernel(self) -> bool:
        """Whether its first weight is more than one number a channel."""
        return len(self.shape) >= _KERNEL_AXES

    @property
    def distinctive(self) -> bool:
        """Whether its weights can tell it from others: several numbers that are not all the same."""
        weights = self.operation.weights
        return bool(weights) and weights[0].values.size > 1 and bool(np.ptp(weights[0].values) != 0)

    @property
    def attributes(self) -> dict[str, Any]:
        """What changes its result, as far as a file says it."""
        own = dict(self.owner.attributes) if self.owner.operations[0] is self.operation else {}
        return {**own, **self.operation.attributes}


def steps_of(graph: ModelGraph) -> list[Step]:
    """Lay a graph out as its operations, in the order of its nodes."""
    firsts, lasts, count = [], [], 0
    for node in graph.nodes:
        firsts.append(count)
        count += len(node.operations)
        lasts.append(count - 1)
    makers = {name: lasts[index] for index, node in enumerate(graph.nodes) for name in node.outputs}
    takers: dict[str, list[int]] = {}
    for index, node in enumerate(graph.nodes):
        for name in node.inputs:
            takers.setdefault(name, []).append(firsts[index])
    ends = {name: -1 - index for index, name in enumerate(_tensor_names(graph))}
    given = {name: -1 - index for index, name in enumerate(_free_inputs(graph, makers))}
    found = []
    for index, node in enumerate(graph.nodes):
        for number, operation in enumerate(node.operations):
            place = firsts[index] + number
            before: Iterable[int] = [place - 1]
            after: Iterable[int] = [place + 1]
            if number == 0:
                before = (makers.get(name, given.get(name)) for name in node.inputs)  # type: ignore[misc]
            if place == lasts[index]:
                after = [taker for name in node.outputs for taker in takers.get(name, ())]
                after = [*after, *(ends[name] for name in node.outputs if name in ends)]
            found.append(Step(place, index, node, operation, _known(before), _known(after)))
    return found


def _known(places: Iterable[int | None]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(place for place in places if place is not None))


def _tensor_names(graph: ModelGraph) -> list[str]:
    """Return the tensors that nobody takes, in the order of the nodes: the model's outputs, by whatever name."""
    taken = {name for node in graph.nodes for name in node.inputs}
    return [name for node in graph.nodes for name in node.outputs if name not in taken]


def _free_inputs(graph: ModelGraph, makers: dict[str, int]) -> list[str]:
    """Return the tensors that nobody makes, in the order in which they are taken: the model's inputs."""
    return list(dict.fromkeys(name for node in graph.nodes for name in node.inputs if name not in makers))
