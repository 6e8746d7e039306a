"""Batch normalizations that went into the kernel and bias of the layer before them (B. Jacob et al., 2018, 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.evaluate.graphs.kinds import KERNELS
from workbench.evaluate.matching.similarity import correlation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from workbench.evaluate.matching.pairs import Matching
    from workbench.evaluate.matching.steps import Step

_LEAST_ALIKE = 0.95  # folded weights may have been quantised or pruned as well
_CHAIN = 2


class Folded(NamedTuple):
    """A layer with a batch normalization behind it that the other graph has as one layer.

    Attributes:
        kernel: The layer's operation, in the graph with the batch normalization.
        norm: The batch normalization.
        other: The layer's operation in the other graph.
        other_bias: Its bias there, where it has one.
        values: The kernel and the bias that folding gives.
    """

    kernel: Step
    norm: Step
    other: Step
    other_bias: Step | None
    values: tuple[NDArray[Any], NDArray[Any]]


def folded(found: Matching) -> Iterator[Folded]:
    """Find the batch normalizations of `found.before` that are in the kernels of `found.after`."""
    for place, other in sorted(found.there.items()):
        kernel, partner = found.before[place], found.after[other]
        if kernel.operation.kind not in KERNELS or not kernel.operation.weights or not partner.operation.weights:
            continue
        chain = list(_behind(kernel, found.before))
        norm = next((step for step in chain if step.operation.kind == "batch_norm"), None)
        if norm is None or norm.place in found.there:
            continue
        bias = next((step for step in chain if step.operation.kind == "bias"), None)
        values = _folded(kernel, norm, bias)
        if values is None or not _explains(values[0], kernel, partner):
            continue
        other_bias = next((step for step in _behind(partner, found.after) if step.operation.kind == "bias"), None)
        yield Folded(kernel, norm, partner, other_bias, values)


def _behind(step: Step, steps: list[Step]) -> Iterator[Step]:
    """Give bias and batch normalization behind a layer, where nothing else takes its result."""
    for _ in range(_CHAIN):
        if len(step.after) != 1 or step.after[0] < 0:
            return
        step = steps[step.after[0]]
        if step.operation.kind not in ("bias", "batch_norm") or not step.operation.weights:
            return
        yield step


def _folded(kernel: Step, norm: Step, bias: Step | None) -> tuple[NDArray[Any], NDArray[Any]] | None:
    values = kernel.operation.weights[0].values.astype(np.float64)
    roles = {weight.role: weight.values.astype(np.float64).ravel() for weight in norm.operation.weights}
    if "variance" not in roles or "mean" not in roles or roles["mean"].size != values.shape[0]:
        return None
    epsilon = float(norm.operation.attributes.get("epsilon", 0.0))
    scale = roles.get("gamma", np.ones(len(roles["mean"]))) / np.sqrt(np.abs(roles["variance"]) + epsilon)
    start = np.zeros(1) if bias is None else bias.operation.weights[0].values.astype(np.float64).ravel()
    if start.size not in (1, len(roles["mean"])):
        return None
    shift = (start - roles["mean"]) * scale + roles.get("beta", 0.0)
    return values * scale.reshape(-1, *[1] * (values.ndim - 1)), shift


def _explains(values: NDArray[Any], kernel: Step, partner: Step) -> bool:
    after = partner.operation.weights[0].values
    if after.size != values.size:
        return False
    gap = np.linalg.norm(values.ravel() - after.ravel())
    plain = np.linalg.norm(kernel.operation.weights[0].values.ravel() - after.ravel())
    return bool(correlation(values, after) > _LEAST_ALIKE and gap <= plain)
