"""What is kept of a sample and of its answer: a few numbers, the same wherever they are taken."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

VALUES = 64
"""Numbers kept of a sample at most."""

_SIDE = 8  # the largest square of as many
_IMAGE_RANKS = (3, 4)  # (n, rows, columns) and with channels
_NEARLY = 1e-2  # quantized probabilities do not add up to 1


def sketch(batch: Array) -> Array:
    """Return a few numbers a sample that show how it looks.

    Images are averaged over their channels and then over areas, into 8 x 8 or 7 x 7, whichever divides them; vectors of
    at most 64 values stay as they are, longer ones and all else are averaged over 64 runs of neighbours. It is computed
    in float64, so that a sample has the same sketch to the last bit whatever it came together with.

    Args:
        batch: Shape (n, ...), any numeric type.

    Returns:
        Shape (n, at most 64), float32.
    """
    values = np.asarray(batch)
    if not len(values):
        return np.zeros((0, VALUES), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # what a client sends may be infinite
        found = _areas(values) if values.ndim in _IMAGE_RANKS else None
        if found is None:
            found = _each_axis(values.astype(np.float64))
        return np.ascontiguousarray(found.reshape(len(values), -1).astype(np.float32))


def sketch_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of one sample's sketch: rows and columns for an image, the length for all else.

    Args:
        shape: Of one sample, without the first axis.
    """
    if len(shape) + 1 in _IMAGE_RANKS:
        return _parts(shape[0], _SIDE), _parts(shape[1], _SIDE)
    return (_parts(int(np.prod(shape, dtype=np.int64)), VALUES),)


def top(scores: Array) -> tuple[Array, Array, Array]:
    """Return what class scores say.

    Args:
        scores: Shape (n, classes), classes >= 2; probabilities, or scores that a softmax makes such.

    Returns:
        The best class, shape (n,), int64; its probability, and how far ahead of the second it is, both float32. A
        sample with a score that is no number has NaN for both.
    """
    found = np.asarray(scores, np.float64)
    best = found.argmax(axis=1)
    with np.errstate(over="ignore", invalid="ignore"):
        sums = found.sum(axis=1)
        is_probability = (found >= 0).all(axis=1) & (np.abs(sums - 1) < _NEARLY)
        raised = np.exp(found - found.max(axis=1, keepdims=True))
        shares = np.where(is_probability[:, None], found, raised / raised.sum(axis=1, keepdims=True))
        two = np.partition(shares, -2, axis=1)[:, -2:]
    return best, two[:, 1].astype(np.float32), (two[:, 1] - two[:, 0]).astype(np.float32)


def _parts(size: int, most: int) -> int:
    if size <= most:
        return size
    return most - 1 if most == _SIDE and size % most and not size % (most - 1) else most


def _areas(images: Array) -> Array | None:
    """Return the means over areas where all are of one size, in one step: other threads run meanwhile, or wait."""
    count, rows, columns, *channels = images.shape
    parts = _parts(rows, _SIDE), _parts(columns, _SIDE)
    if not images.size or rows % parts[0] or columns % parts[1]:
        return None
    shape = (count, parts[0], rows // parts[0], parts[1], columns // parts[1], *channels)
    kept, summed = [0, 1, 3], [*range(len(shape))]
    total = np.einsum(images.reshape(shape), summed, kept, dtype=np.float64, casting="unsafe")
    return np.asarray(total / (images.size // total.size))


def _each_axis(values: Array) -> Array:
    if values.ndim not in _IMAGE_RANKS:
        return _pooled(values.reshape(len(values), -1), 1, VALUES)
    if values.ndim == _IMAGE_RANKS[1]:
        values = values.mean(axis=3)
    return _pooled(_pooled(values, 1, _SIDE), 2, _SIDE)


def _pooled(values: Array, axis: int, most: int) -> Array:
    size = values.shape[axis]
    parts = _parts(size, most)
    if parts == size:
        return values
    if size % parts == 0:
        shape = (*values.shape[:axis], parts, size // parts, *values.shape[axis + 1 :])
        runs = np.moveaxis(values.reshape(shape), axis + 1, 0)
        total = runs[0].copy()
        for each in runs[1:]:  # in their order, however many samples there are
            total += each
        return np.asarray(total / (size // parts))
    edges = np.arange(parts) * size // parts
    counts = np.diff(np.append(edges, size)).reshape([-1 if at == axis else 1 for at in range(values.ndim)])
    return np.asarray(np.add.reduceat(values, edges, axis=axis) / counts)
