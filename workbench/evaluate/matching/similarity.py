"""How alike two kernels are although no number is the same: quantised, pruned, or scaled by a batch normalization."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from workbench.evaluate.matching.steps import Step

_CHANNELS, _ELEMENTS = 64, 64
_SAMPLE = 4096
_FEWEST = 8  # directions in fewer dimensions are alike by chance
_MOST_PAIRS = 200_000


def similarities(ours: Sequence[Step], theirs: Sequence[Step]) -> Iterator[tuple[int, int, float]]:
    """Give indices of steps whose kernels have one shape, with how alike these are, in [0, 1].

    The larger of two figures: the correlation of all weights, and the mean over the output channels of the absolute
    cosine, which no scale of a channel changes. Both are of a sample of the weights, the same of every kernel.
    """
    shapes: defaultdict[tuple[int, ...], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, steps in enumerate((ours, theirs)):
        for index, step in enumerate(steps):
            if step.has_kernel:
                shapes[step.shape][side].append(index)
    for left, right in shapes.values():
        if not left or not right or len(left) * len(right) > _MOST_PAIRS:
            continue
        alike = _alike([_kernel(ours[index]) for index in left], [_kernel(theirs[index]) for index in right])
        for row, column in zip(*np.nonzero(alike > 0), strict=True):
            yield left[row], right[column], float(alike[row, column])


def correlation(ours: NDArray[Any], theirs: NDArray[Any]) -> float:
    """Return the cosine of the angle between two arrays of one size, in [−1, 1]; 0 where one is all zeros."""
    left, right = ours.astype(np.float64).ravel(), theirs.astype(np.float64).ravel()
    length = float(np.linalg.norm(left) * np.linalg.norm(right))
    return float(left @ right) / length if length else 0.0


def _kernel(step: Step) -> NDArray[np.float32]:
    values = step.operation.weights[0].values
    return np.ascontiguousarray(values, np.float32).reshape(values.shape[0], -1)


def _alike(ours: list[NDArray[np.float32]], theirs: list[NDArray[np.float32]]) -> NDArray[np.float64]:
    whole = _sampled(ours) @ _sampled(theirs).T
    if min(ours[0].shape[1], theirs[0].shape[1]) < _FEWEST or ours[0].shape != theirs[0].shape:
        return np.asarray(np.clip(whole, 0, 1))
    channels = np.abs(np.einsum("ice,jce->ijc", _channels(ours), _channels(theirs))).mean(axis=2)
    return np.asarray(np.clip(np.maximum(whole, channels), 0, 1))


def _sampled(kernels: list[NDArray[np.float32]]) -> NDArray[np.float64]:
    step = max(1, kernels[0].size // _SAMPLE)
    return _unit(np.stack([kernel.ravel()[::step] for kernel in kernels]).astype(np.float64))


def _channels(kernels: list[NDArray[np.float32]]) -> NDArray[np.float64]:
    channels, elements = kernels[0].shape
    rows = np.linspace(0, channels - 1, min(channels, _CHANNELS)).astype(int)
    columns = np.linspace(0, elements - 1, min(elements, _ELEMENTS)).astype(int)
    return _unit(np.stack([kernel[np.ix_(rows, columns)] for kernel in kernels]).astype(np.float64))


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    length = np.linalg.norm(values, axis=-1, keepdims=True)
    return np.asarray(values / np.where(length > 0, length, 1))
