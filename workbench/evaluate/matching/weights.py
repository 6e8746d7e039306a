"""How two weights differ, and what that comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.core.records.graph_diff import WeightChange, WeightFacts
from workbench.evaluate.distinct import distinct
from workbench.evaluate.matching.similarity import correlation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.evaluate.graphs.base import Weight

FOLDED = "batch normalization folded in"
_ROUNDING = 1e-5  # of the largest weight: sums in another order, 32 bits
_HALF = 2**-10  # relative, of 16-bit floats
_HALF_STEP = 0.5005
_PRUNED = 0.01
_FEW, _FEWER, _FEWEST = 256, 4, 64
_FIRST = 4096
_OTHER_ORDER = 0.95
_NEVER = 0.5
_KERNEL_AXES = 2


class Subject(NamedTuple):
    """Which weight is compared.

    Attributes:
        node: Name of its node.
        role: Its role there.
        channels: Of the layer before it, whose flattened order its inputs may have; 0 where that is not known.
    """

    node: str
    role: str
    channels: int = 0


def facts_of(weight: Weight) -> WeightFacts:
    """Return what is stored."""
    return WeightFacts(
        name=weight.name,
        shape=tuple(weight.stored.shape),
        dtype=weight.stored.dtype.name,
        bits=weight.bits or 8 * weight.stored.dtype.itemsize,
        bytes=weight.bytes,
        elements=int(weight.stored.size),
        zeros=int(weight.values.size - np.count_nonzero(weight.values)),
        distinct=distinct(weight.stored),
    )


def one_sided(subject: Subject, before: Weight | None, after: Weight | None, cause: str = "") -> WeightChange:
    """Tell of a weight that only one graph has."""
    return WeightChange(
        node=subject.node,
        role=subject.role,
        before=None if before is None else facts_of(before),
        after=None if after is None else facts_of(after),
        identical=False,
        cause=cause,
    )


def compared(
    subject: Subject,
    before: Weight,
    after: Weight,
    folded: tuple[NDArray[Any] | None, NDArray[Any] | None] = (None, None),
) -> WeightChange:
    """Compare two weights.

    Args:
        subject: Which one.
        before: In the one graph.
        after: In the other.
        folded: What either means once a batch normalization behind it is folded in; None where none was.
    """
    pair = before.values if folded[0] is None else folded[0], after.values if folded[1] is None else folded[1]
    one, other = (np.asarray(values, np.float64) for values in pair)
    shaped = _shaped(one, other)
    known = {"node": subject.node, "role": subject.role, "before": facts_of(before), "after": facts_of(after)}
    if shaped is None:
        return WeightChange(**known, identical=False, cause="another shape")
    order, one = _ordered(shaped, other, subject.channels)
    gap = np.abs(one - other)
    if not gap.size:
        return WeightChange(**known, identical=True, largest=0.0, mean=0.0)
    same = bool(np.array_equal(one, other, equal_nan=True)) and before.bits == after.bits
    causes = [FOLDED] if any(values is not None for values in folded) else []
    causes += [order] if order else []
    causes += [] if same else _causes(before, after, one, other, gap)
    largest, mean = (float(figure) for figure in (gap.max(), gap.mean()))
    finite = np.isfinite(largest)
    return WeightChange(
        **known,
        identical=same and not causes,
        largest=largest if finite else None,
        mean=mean if finite else None,
        cause=", ".join(causes),
    )


def _shaped(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any] | None:
    """Give one the other's shape where they differ by axes of one element only."""
    if one.shape == other.shape:
        return one
    plain = [[axis for axis in values.shape if axis != 1] for values in (one, other)]
    return one.reshape(other.shape) if plain[0] == plain[1] else None


def _ordered(one: NDArray[Any], other: NDArray[Any], channels: int) -> tuple[str, NDArray[Any]]:
    """Undo another order of a flattened map: its channels first or last."""
    plain = one.ndim == _KERNEL_AXES and channels > 1 and one.shape[1] % channels == 0 and one.shape[1] > channels
    if not plain or correlation(one, other) > _NEVER:
        return "", one
    places = one.shape[1] // channels
    for outer, inner in ((channels, places), (places, channels)):
        turned = one.reshape(-1, outer, inner).swapaxes(1, 2).reshape(one.shape)
        if correlation(turned, other) > _OTHER_ORDER:
            return "inputs in another order", turned
    return "", one


def _causes(before: Weight, after: Weight, one: NDArray[Any], other: NDArray[Any], gap: NDArray[Any]) -> list[str]:
    scale = float(np.maximum(np.abs(one).max(), np.abs(other).max())) or 1.0
    if not np.isfinite(scale):
        return []
    if np.array_equal(one, other) or gap.max() <= _ROUNDING * scale:
        bits = before.bits, after.bits
        return [f"{bits[0]} to {bits[1]} bits"] if bits[0] != bits[1] else ["rounding of floats"]
    for weight in (after, before):
        if weight.step is not None and weight.step.size in (1, gap.size):
            step = np.broadcast_to(weight.step, weight.values.shape).reshape(gap.shape)
            if (gap <= _HALF_STEP * step + _ROUNDING * scale).all():
                return [f"rounded to {weight.bits}-bit integers"]
        if weight.bits == 16 and (gap <= _HALF * np.abs(one) + _HALF * 1e-4).all():  # noqa: PLR2004 - bits
            return ["rounded to 16-bit floats"]
    return _compressed(before, after, one, other)


def _compressed(before: Weight, after: Weight, one: NDArray[Any], other: NDArray[Any]) -> list[str]:
    causes = []
    zeros = [1 - np.count_nonzero(values) / values.size for values in (one, other)]
    if abs(zeros[1] - zeros[0]) > _PRUNED:
        causes.append(f"{100 * zeros[0]:.0f} % to {100 * zeros[1]:.0f} % zeros")
    if _shared(one) != _shared(other) and before.bits == after.bits:
        few = distinct((after if _shared(other) else before).stored)
        causes.append(f"{few} distinct values" + ("" if _shared(other) else " before"))
    return causes


def _shared(values: NDArray[Any]) -> bool:
    """Say whether many weights share few values."""
    kept = values[values != 0]
    if kept.size < _FEWEST or distinct(kept[:_FIRST]) > _FEW:
        return False
    different = distinct(kept)
    return different <= _FEW and different * _FEWER <= kept.size
