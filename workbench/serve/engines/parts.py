"""Models that were made for a fixed number of samples, asked as if they took any."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbench.serve.signature import Signature, Tensor

    Array = np.ndarray[Any, Any]
    Arrays = dict[str, Array]


def any_batch(signature: Signature) -> Signature:
    """Return a signature whose batch is free, where all its tensors agree on one fixed size.

    Args:
        signature: As the file has it.
    """
    sizes = {tensor.shape[0] if tensor.shape else -1 for tensor in (*signature.inputs, *signature.outputs)}
    if len(sizes) != 1 or (size := sizes.pop()) < 1:
        return signature
    return replace(
        signature,
        inputs=tuple(_freed(tensor) for tensor in signature.inputs),
        outputs=tuple(_freed(tensor) for tensor in signature.outputs),
        made_for=size,
    )


def _freed(tensor: Tensor) -> Tensor:
    return replace(tensor, shape=(-1, *tensor.shape[1:]))


def in_parts(feeds: Mapping[str, Array], size: int, run: Callable[[Mapping[str, Array]], Arrays]) -> Arrays:
    """Answer any number of samples with a model that takes `size` at once.

    The last part is filled up with its own last sample, and those answers are cut off.

    Args:
        feeds: Arrays, all of the same number of samples.
        size: Samples a run.
        run: Answers exactly so many.

    Raises:
        BadInputError: The inputs are of different lengths, or there is no sample.
    """
    counts = {len(array) for array in feeds.values()}
    if len(counts) != 1 or not (count := counts.pop()):
        raise BadInputError.of(
            "inputs", rule="must all hold the same number of samples, one or more", got=sorted(counts)
        )
    if count == size:
        return run(feeds)
    parts = [run({name: _part(array, start, size) for name, array in feeds.items()}) for start in range(0, count, size)]
    return {name: np.concatenate([part[name] for part in parts])[:count] for name in parts[0]}


def _part(array: Array, start: int, size: int) -> Array:
    part = array[start : start + size]
    return np.concatenate([part, part[-1:].repeat(size - len(part), axis=0)]) if len(part) < size else part
