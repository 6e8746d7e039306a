"""Why is it not smaller? Answers from what lies in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.compress.ledger.history import was_pruned
from workbench.compress.ledger.holdings import elements, size
from workbench.core.records.ledger import Finding
from workbench.evaluate.distinct import distinct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.compress.ledger.holdings import Holdings
    from workbench.core.artifact import Artifact
    from workbench.core.records import Sizes
    from workbench.evaluate.tensors.base import StoredTensor

_NOTABLE = 0.05
_SPARSE = 0.3
_FEW_VALUES, _ENOUGH_WEIGHTS = 256, 256
_LEAST_SHARING = 4
_MOSTLY_GRAPH = 0.3


def why_not_smaller(artifact: Artifact, held: Holdings, sizes: Sizes) -> Iterator[Finding]:
    """Give what is to be said of a file's bytes, the weightiest first."""
    if artifact.format == "packed":
        yield Finding(
            topic="packed",
            text=f"The file is packed already ({_kb(sizes.raw)} for {_kb(size(held.every))} of tensors): gzip finds "
            f"nothing more in it ({_kb(sizes.gzip)}); unpack it where it is to be opened by another engine.",
        )
        return
    yield from _left_over(held, sizes)
    yield from _zeros(held, sizes, artifact)
    yield from _values(held, sizes)
    if kept := _floats_in_quantised(held):
        yield Finding(
            topic="float_parts",
            text=f"The kernels are integers, but {_kb(size(kept))} ({size(kept) / sizes.raw:.0%} of the file) in "
            f"{len(kept)} tensors stay floats: dynamic-range quantization leaves biases and small kernels as they are. "
            "For integers throughout, convert to int8 with a representative dataset.",
        )
    structure = sizes.raw - size(held.every)
    if structure > _MOSTLY_GRAPH * sizes.raw:
        yield Finding(
            topic="graph",
            text=f"{_kb(structure)} of {_kb(sizes.raw)} ({structure / sizes.raw:.0%}) are graph, names and structure "
            "rather than weights: fewer or smaller weights change little; gzip or pack the file, which takes most of "
            "that off.",
        )


def _left_over(held: Holdings, sizes: Sizes) -> Iterator[Finding]:
    slots, wrapped = size(held.learning), size(held.wrappers)
    weights = max(1, size(held.kernels) + size(held.vectors))
    if slots > _NOTABLE * sizes.raw:
        yield Finding(
            topic="optimizer",
            text=f"The optimizer's slots take {_kb(slots)} of {_kb(sizes.raw)} ({slots / sizes.raw:.0%}), "
            f"{slots / weights:.1f} times the weights (Adam keeps two values a weight), and gzip hardly shrinks them. "
            f"They serve further training only: save the model before it is compiled, or bring it in with "
            f"`workbench.adopt`, which leaves about {_kb(sizes.raw - slots)}.",
        )
    if held.quantizing:
        yield Finding(
            topic="quantize_wrappers",
            text="The layers have the wrappers of quantization-aware training, and weights that are still float32: "
            "they hold the ranges that were learnt, so do not strip them. Convert it to int8 TFLite "
            "(`workbench.convert(model, 'tflite', numeric='int8')`), which takes the ranges over and leaves about a "
            "quarter.",
        )
    elif held.wrappers:
        yield Finding(
            topic="wrappers",
            text=f"The layers still have the wrappers of a compression library, whose masks, copies and steps take "
            f"{_kb(wrapped)} of {_kb(sizes.raw)} ({wrapped / sizes.raw:.0%}): call `strip_pruning` or "
            f"`strip_clustering` before saving, which leaves about {_kb(sizes.raw - wrapped)}.",
        )


def _zeros(held: Holdings, sizes: Sizes, artifact: Artifact) -> Iterator[Finding]:
    if not held.kernels:
        return
    negative = held.negative_zeros
    if held.sparsity >= _SPARSE:
        yield Finding(
            topic="zeros",
            text=f"{held.sparsity:.0%} of the weights are zero but the file stores them like any others "
            f"({_kb(held.zero_bytes)}), so that it is as large as before: gzip or pack it "
            f"({_kb(sizes.raw)} -> {_kb(sizes.gzip)} gzip'd, {_packed(sizes)}).",
        )
    elif held.sparsity < _NOTABLE and held.kernels[0].values.dtype.kind == "f" and not _shared(held):
        yield Finding(
            topic="dense",
            text=f"Only {held.sparsity:.1%} of the weights are zero and they all differ, so that gzip takes "
            f"{1 - sizes.gzip / sizes.raw:.0%} off ({_kb(sizes.gzip)}). {_never_reached(artifact)}Prune, share or "
            "quantise its weights first.",
        )
    if negative > _NOTABLE / 5 * elements(held.kernels):
        yield Finding(
            topic="negative_zeros",
            text=f"{negative:,} weights ({negative / elements(held.kernels):.0%}) are -0.0, which is equal to zero and "
            "another bit pattern: a mask was multiplied with negative weights. The sign of each costs up to a bit when "
            "gzip'd or packed; add 0.0 to the weights before saving.",
        )


def _never_reached(artifact: Artifact) -> str:
    pruned = was_pruned(artifact)
    if pruned is False:
        return "It was never pruned. "
    return (
        f"{'It was pruned, but' if pruned else 'If it was pruned,'} pruning never reached it: the schedule begins or "
        "ends after the last step, `UpdatePruningStep` is not among the callbacks, or the model before pruning was "
        "saved. "
    )


def _values(held: Holdings, sizes: Sizes) -> Iterator[Finding]:
    shared = _shared(held)
    if not shared:
        return
    most = max(_distinct(each) for each in shared)
    zeros = any((each.values == 0).any() for each in shared)
    bits, index = 8 * shared[0].values.itemsize, int(np.ceil(np.log2(max(2, most + zeros))))
    yield Finding(
        topic="shared_values",
        text=f"{elements(shared):,} weights in {len(shared)} kernel(s) share at most {most} distinct values"
        f"{' besides zero' if zeros else ''} a kernel, but each is stored as a {bits}-bit float, so that the file is "
        f"as large as before; an index into a codebook takes {index} bits. No format of TFLite or ONNX stores "
        f"codebooks: gzip or pack it ({_kb(sizes.raw)} -> {_kb(sizes.gzip)} gzip'd, {_packed(sizes)}).",
    )


def _shared(held: Holdings) -> tuple[StoredTensor, ...]:
    return tuple(
        each
        for each in held.kernels
        if each.values.dtype.kind == "f" and each.values.size >= _ENOUGH_WEIGHTS and _few_values(each)
    )


def _few_values(tensor: StoredTensor) -> bool:
    # A few weights left of many differ by chance, not by sharing.
    left = np.count_nonzero(tensor.values)
    return 1 < _distinct(tensor) <= min(_FEW_VALUES, left / _LEAST_SHARING)


def _distinct(tensor: StoredTensor) -> int:
    return distinct(tensor.values[tensor.values != 0])


def _floats_in_quantised(held: Holdings) -> tuple[StoredTensor, ...]:
    if not any(each.values.dtype.kind in "iu" for each in held.kernels):
        return ()
    kept = tuple(each for each in held.kernels + held.vectors if each.values.dtype.kind == "f")
    return tuple(each for each in kept if each.values.size > 1)


def _packed(sizes: Sizes) -> str:
    return f"{_kb(sizes.packed)} packed" if sizes.packed is not None else "not packed"


def _kb(count: int) -> str:
    return f"{count:,} B" if count < 1000 else f"{count / 1000:,.1f} kB"  # noqa: PLR2004 - kilobytes
