"""The difference of two models in plain words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from workbench.core.records.graph_diff import Fusion, GraphDiff, GraphFacts, NodeChange, NodeFacts, WeightChange

_LISTED = 4
_KILO, _MEGA = 1000, 1_000_000
_SPARSER = 0.01
# Said of a node that has one inside.
_ACTIVATIONS = ("relu", "relu6", "sigmoid", "tanh", "softmax", "elu", "selu", "gelu", "softplus", "hard_swish")
_SAME = "The graphs and all weights are the same."


def sentences(diff: GraphDiff) -> tuple[str, ...]:
    """Return the difference as sentences, what matters most first."""
    said = [_SAME] if diff.identical else []
    said += [_sizes(diff.before, diff.after), *_interface(diff.interface)]
    said += [*_nodes(diff.added, "added"), *_nodes(diff.removed, "removed")]
    said += [*_fused(diff.fused), *_changed(diff)]
    said += [*_weights(diff.weights), *diff.notes]
    return tuple(said)


def _sizes(before: GraphFacts, after: GraphFacts) -> str:
    return (
        f"{before.label} to {after.label}: {_bytes(before.file_bytes)} to {_bytes(after.file_bytes)}, "
        f"{before.nodes} to {after.nodes} nodes, {before.parameters:,} to {after.parameters:,} parameters of "
        f"{before.bits:.3g} to {after.bits:.3g} bits, "
        f"{100 * before.sparsity:.0f} % to {100 * after.sparsity:.0f} % zeros."
    )


def _interface(changes: Iterable[NodeChange]) -> Iterator[str]:
    for change in changes:
        yield f"The model's {change.what} changed from {_value(change.before)} to {_value(change.after)}."


def _nodes(nodes: tuple[NodeFacts, ...], verb: str) -> Iterator[str]:
    if nodes:
        counts = Counter(node.operator for node in nodes)
        listed = [f"{count} {operator}" for operator, count in counts.most_common()]
        one = len(nodes) == 1
        which = f" ({nodes[0].name})" if one else ""
        yield f"{_joined(listed)} {'node was' if one else 'nodes were'} {verb}{which}."


def _fused(fusions: tuple[Fusion, ...]) -> Iterator[str]:
    cases: dict[tuple[str, str, str], list[Fusion]] = {}
    for fusion in fusions:
        before, after = (" + ".join(_short(nodes)) for nodes in (fusion.before, fusion.after))
        cases.setdefault((before, after, fusion.why), []).append(fusion)
    for (before, after, why), alike in cases.items():
        places = _some(fusion.before[0].name for fusion in alike)
        times = f" {len(alike)} times" if len(alike) > 1 else ""
        yield f"{before} became {after}{times} ({places}){': ' + why if why else ''}."


def _short(nodes: tuple[NodeFacts, ...]) -> Iterator[str]:
    inside = [[kind for kind in node.operations[1:] if kind in _ACTIVATIONS] for node in nodes]
    names = [node.operator + "".join(f" with {k}" for k in kinds) for node, kinds in zip(nodes, inside, strict=True)]
    yield from names[:_LISTED]
    if len(names) > _LISTED:
        yield f"{len(names) - _LISTED} more"


def _changed(diff: GraphDiff) -> Iterator[str]:
    """Tell changes that several nodes share once."""
    cases: dict[tuple[str, str, str], list[str]] = {}
    owners = [(match.before.name, match.changes) for match in diff.matched]
    owners += [(fusion.before[0].name, fusion.changes) for fusion in diff.fused]
    for name, changes in owners:
        for change in changes:
            key = change.what, _value(change.before), _value(change.after)
            cases.setdefault(key, []).append(name)
    for (what, before, after), names in cases.items():
        nodes = "" if len(names) == 1 else f"{len(names)} nodes, "
        yield f"{what} changed from {before} to {after} in {nodes}{_some(names)}."
    renamed = sum(match.renamed for match in diff.matched)
    if renamed and diff.before.label.partition("/")[0] == diff.after.label.partition("/")[0]:
        yield f"{renamed} matched {'node has another name' if renamed == 1 else 'nodes have other names'}."


def _weights(weights: tuple[WeightChange, ...]) -> Iterator[str]:
    both = [each for each in weights if each.before is not None and each.after is not None]
    same = sum(each.identical for each in both)
    if both:
        yield (
            f"{same} of {len(both)} matched weights are identical."
            if same < len(both)
            else (f"All {len(both)} matched weights are identical.")
        )
    yield from _sparser(both)
    yield from _causes(weights)
    for verb, lost in (("removed", False), ("added", True)):
        alone = [each for each in weights if (each.before is None) == lost and each not in both and not each.cause]
        if alone:
            weights_were = "weight was" if len(alone) == 1 else "weights were"
            yield f"{len(alone)} {weights_were} {verb} ({_some(each.label for each in alone)})."


def _sparser(weights: list[WeightChange]) -> Iterator[str]:
    cases: dict[tuple[int, bool], list[str]] = {}
    for each in weights:
        if each.before is None or each.after is None or not each.role.endswith("kernel"):
            continue
        more = each.after.sparsity - each.before.sparsity
        if abs(more) > _SPARSER:
            cases.setdefault((round(100 * abs(more)), more > 0), []).append(each.label)
    for (percent, became), labels in cases.items():
        what = labels[0] if len(labels) == 1 else f"{len(labels)} kernels"
        which = "" if len(labels) == 1 else f" ({_some(labels)})"
        yield f"{percent} % of {what} {'became zero' if became else 'are zero no more'}{which}."


def _causes(weights: Iterable[WeightChange]) -> Iterator[str]:
    cases: dict[str, list[WeightChange]] = {}
    for each in weights:
        told = "zeros" in each.cause and each.role.endswith("kernel")
        if not each.identical and not told and (each.cause or each.largest is not None):
            cases.setdefault(each.cause, []).append(each)
    for cause, alike in cases.items():
        gaps = [each.largest for each in alike if each.largest is not None]
        far = f", at most {max(gaps):.2g} apart" if gaps else ""
        what = cause or "other numbers"
        yield f"{len(alike)} weight{'s' if len(alike) > 1 else ''}: {what}{far} ({_some(w.label for w in alike)})."


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
    return ", ".join(listed[:_LISTED]) + more


def _joined(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, (list, tuple)):
        return "(" + ", ".join("free" if each is None else str(each) for each in value) + ")"
    return str(value)


def _bytes(count: int) -> str:
    return f"{count / _MEGA:.2f} MB" if count >= _MEGA else f"{count / _KILO:.1f} kB"
