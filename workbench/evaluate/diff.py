"""The difference of two models: which nodes and weights are the same, in any two formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.core.checks import require_artifact
from workbench.core.records.graph_diff import Fusion, GraphDiff, GraphFacts, NodeChange, NodeFacts, NodeMatch
from workbench.evaluate.graphs.read import read_graph
from workbench.evaluate.matching.changes import Sides, changes_of, tensor_changes
from workbench.evaluate.matching.groups import grouped
from workbench.evaluate.matching.pairing import weight_changes
from workbench.evaluate.matching.pairs import match

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workbench.core.artifact import Artifact
    from workbench.evaluate.graphs.base import GraphNode, ModelGraph, Weight

_KERNEL_AXES = 2
_TOO_LARGE = "The graphs are too large to be aligned at once, so their order was compared piece by piece."


def diff(a: Artifact, b: Artifact) -> GraphDiff:
    """Compare two models node by node and weight by weight; they may be of different formats.

    Nodes are matched by weights, names, settings and their order together, after every layer was laid out as the
    operations that it is made of. Weights are compared as what they mean: layouts undone, quantised ones scaled back,
    a batch normalization folded in where the other model has it so. No framework is loaded and no model is run.

    Args:
        a: The one, e.g. a float model.
        b: The other, e.g. what was made of it.

    Raises:
        BadInputError: An argument is no artifact, a file cannot be read, or its format has no graph to read.
        WorkspaceError: A file is missing, truncated or changed.
        MissingExtraError: A Keras file needs h5py, which the extra `train` brings.
    """
    artifacts = require_artifact(a, "a"), require_artifact(b, "b")
    graphs = read_graph(artifacts[0]), read_graph(artifacts[1])
    with np.errstate(all="ignore"):  # of weights that are no numbers
        return _compared(artifacts, graphs)


def _compared(artifacts: tuple[Artifact, Artifact], graphs: tuple[ModelGraph, ModelGraph]) -> GraphDiff:
    before, after = graphs
    found = match(before, after)
    sides = Sides(before, after, found, grouped(found))
    matched, fused, added, removed = _nodes(sides)
    weights = tuple(weight_changes(sides))
    interface = tuple(_interface(before, after))
    identical = (
        not (added or removed or fused)
        and not any(each.changes for each in matched)
        and all(each.identical for each in weights)
        and all(change.what.endswith("name") for change in interface)
    )
    return GraphDiff(
        before=_facts(artifacts[0], before),
        after=_facts(artifacts[1], after),
        identical=identical,
        interface=interface,
        matched=matched,
        added=added,
        removed=removed,
        fused=fused,
        weights=weights,
        notes=() if found.whole else (_TOO_LARGE,),
    )


def _nodes(
    sides: Sides,
) -> tuple[tuple[NodeMatch, ...], tuple[Fusion, ...], tuple[NodeFacts, ...], tuple[NodeFacts, ...]]:
    matched: list[NodeMatch] = []
    fused: list[Fusion] = []
    added: list[NodeFacts] = []
    removed: list[NodeFacts] = []
    for group in sides.grouping.groups:
        before = tuple(_node(sides.before.nodes[index]) for index in group.before)
        after = tuple(_node(sides.after.nodes[index]) for index in group.after)
        if not before:
            added.extend(after)
        elif not after:
            removed.extend(before)
        elif len(before) == len(after) == 1:
            matched.append(NodeMatch(before=before[0], after=after[0], changes=changes_of(sides, group)))
        else:
            fused.append(Fusion(before=before, after=after, changes=changes_of(sides, group), why=group.why))
    return tuple(matched), tuple(fused), tuple(added), tuple(removed)


def _node(node: GraphNode) -> NodeFacts:
    kinds = tuple(operation.kind for operation in node.operations)
    return NodeFacts(name=node.name, operator=node.operator, kind=node.kind, operations=kinds)


def _interface(before: ModelGraph, after: ModelGraph) -> Iterator[NodeChange]:
    alike = before.family == after.family
    for what, ours, theirs in (("input", before.inputs, after.inputs), ("output", before.outputs, after.outputs)):
        if len(ours) != len(theirs):
            yield NodeChange(what=f"{what}s", before=len(ours), after=len(theirs))
            continue
        for one, other in zip(ours, theirs, strict=True):
            if alike and one.name != other.name:
                yield NodeChange(what=f"{what} name", before=one.name, after=other.name)
            yield from tensor_changes(what, one, other, alike=alike)


def _facts(artifact: Artifact, graph: ModelGraph) -> GraphFacts:
    weights = list(graph.weights())
    parameters = sum(weight.stored.size for weight in weights)
    size = sum(weight.bytes for weight in weights)
    return GraphFacts(
        name=artifact.name,
        label=artifact.label,
        sha256=artifact.sha256,
        file_bytes=_bytes_of(artifact.path),
        nodes=len(graph.nodes),
        parameters=parameters,
        weight_bytes=size,
        bits=8 * size / parameters if parameters else 0.0,
        sparsity=_sparsity(weights),
    )


def _bytes_of(path: Path) -> int:
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return sum(file.stat().st_size for file in files)


def _sparsity(weights: list[Weight]) -> float:
    kernels = [weight for weight in weights if weight.values.ndim >= _KERNEL_AXES]
    count = sum(weight.values.size for weight in kernels)
    return 1 - sum(int(np.count_nonzero(weight.values)) for weight in kernels) / count if count else 0.0
