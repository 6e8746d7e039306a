"""The difference of two models: which nodes and weights are the same, in any two formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.core.checks import require_artifact
from workbench.core.errors import BadInputError, WorkbenchError
from workbench.core.records.graph_diff import Fusion, GraphDiff, GraphFacts, NodeChange, NodeFacts, NodeMatch
from workbench.evaluate.graphs.base import readers
from workbench.evaluate.matching.changes import Sides, changes_of, tensor_changes
from workbench.evaluate.matching.groups import grouped
from workbench.evaluate.matching.pairing import weight_changes
from workbench.evaluate.matching.pairs import match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.core.artifact import Artifact
    from workbench.evaluate.graphs.base import GraphNode, ModelGraph, Weight

_LONGEST_REASON = 200
_MOST_NODES = 100_000
_KERNEL_AXES = 2
_TOO_LARGE = "The graphs are too large to be compared in their order, so nodes were matched by names and weights only."
_HINTS = {
    "torch": "convert it to onnx and compare that",
    "c_array": "compare the .tflite file that it was made from",
}


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
    before, after = (read_graph(artifact) for artifact in artifacts)
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


def read_graph(artifact: Artifact) -> ModelGraph:
    """Read the graph of a model file, after it was checked against its manifest.

    Raises:
        BadInputError: The file cannot be read, or its format has no graph to read.
        WorkspaceError: The file is missing, truncated or changed.
        MissingExtraError: A Keras file needs h5py.
    """
    artifact.verify()
    if artifact.format in _HINTS:
        raise BadInputError.of(
            "artifact", rule=f"must be one of {', '.join(readers.names())} to be compared", got=artifact.format,
            hint=_HINTS[artifact.format],
        )  # fmt: skip
    try:
        graph = readers.get(artifact.format)().read(artifact.path)
    except (WorkbenchError, ImportError):
        raise
    except Exception as error:
        # Parsers raise their own kinds (protobuf, struct, zip, HDF5, LookupError, …) for a file they cannot read.
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        raise BadInputError.of(
            artifact.file, rule=f"must be a whole {artifact.format} file to be compared", got=reason,
            hint="make it again",
        ) from error  # fmt: skip
    if not graph.nodes or len(graph.nodes) > _MOST_NODES:
        raise BadInputError.of(
            artifact.file, rule=f"must have 1 to {_MOST_NODES:,} nodes to be compared", got=len(graph.nodes)
        )
    return graph


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
        file_bytes=artifact.sizes().raw,
        nodes=len(graph.nodes),
        parameters=parameters,
        weight_bytes=size,
        bits=8 * size / parameters if parameters else 0.0,
        sparsity=_sparsity(weights),
    )


def _sparsity(weights: list[Weight]) -> float:
    kernels = [weight for weight in weights if weight.values.ndim >= _KERNEL_AXES]
    count = sum(weight.values.size for weight in kernels)
    return 1 - sum(int(np.count_nonzero(weight.values)) for weight in kernels) / count if count else 0.0
