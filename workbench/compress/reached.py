"""What a compression reached, measured on the weights themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import WorkbenchError
from workbench.evaluate.distinct import distinct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Kernels = Mapping[str, list[NDArray[Any]]]

_KERNEL_AXES = 2
_WRAPPERS = ("PruneLowMagnitude", "ClusterWeights", "ClusterWeightsRNN", "ClusterWeightsMHA")
QUANTIZED = ("QuantizeWrapper", "QuantizeWrapperV2")
_LOST_ZEROS = 0.001
_QUANTIZED_LEVELS = 256


def kernels_of(model: Any) -> dict[str, list[NDArray[Any]]]:
    """Return the kernels (weights with two axes or more) of a Keras model by its layers' own names.

    Those of a quantization-aware layer come as the int8 values that a converted file stores.
    """
    found = {}
    for layer in model.layers:
        if type(layer).__name__ in QUANTIZED:
            name, arrays = layer.layer.name, _quantized(layer)
        else:
            name, arrays = layer.name, [np.asarray(weight) for weight in layer.get_weights()]
        if kernels := [array for array in arrays if array.ndim >= _KERNEL_AXES]:
            found[name] = kernels
    return found


def layer_facts(kernels: Kernels) -> dict[str, dict[str, Any]]:
    """Return `elements`, `sparsity` and `unique` of each layer; `unique` is that of its most varied kernel."""
    return {
        name: {
            "elements": _size(arrays),
            "sparsity": _zeros(arrays) / _size(arrays),
            "unique": max(map(distinct, arrays)),
        }
        for name, arrays in kernels.items()
    }


def overall_sparsity(kernels: Kernels) -> float:
    """Return the share of zeros in all kernels."""
    every = [array for arrays in kernels.values() for array in arrays]
    return _zeros(every) / _size(every) if every else 0.0


def lost(before: Kernels, after: Kernels) -> dict[str, str]:
    """Name the layers that have fewer zeros, or more distinct values, than before.

    Layers that are not there any more, or have another shape, are left out.

    Returns:
        A reason by layer.
    """
    reasons = {}
    for name, arrays in before.items():
        pairs = list(zip(arrays, after.get(name, ()), strict=False))
        if any(old.shape != new.shape for old, new in pairs):
            continue
        said = [reason for old, new in pairs for reason in _losses(old, new)]
        if said:
            reasons[name] = ", ".join(said)
    return reasons


def is_clustered(array: NDArray[Any]) -> bool:
    """Say whether a kernel's weights share values, zeros aside: all of them, or those of each output channel."""
    return _share(array) or all(_share(channel) for channel in _channels(array))


def wrapped_layers(model: Any) -> list[str]:
    """Return the names of the layers that have a pruning or clustering wrapper."""
    return [layer.name for layer in model.layers if type(layer).__name__ in _WRAPPERS]


def quantized_layers(model: Any) -> list[str]:
    """Return the names of the layers that emulate quantization."""
    return [layer.layer.name for layer in model.layers if type(layer).__name__ in QUANTIZED]


def require_unwrapped(model: Any) -> None:
    """Refuse a model that still has the wrappers of a compression library.

    Raises:
        WorkbenchError: Naming the layers.
    """
    if left := wrapped_layers(model):
        raise WorkbenchError(f"{', '.join(left)} must have lost the wrappers after stripping; report this as a bug.")


def _losses(old: NDArray[Any], new: NDArray[Any]) -> list[str]:
    said = []
    had, has = _zeros([old]) / old.size, _zeros([new]) / new.size
    if has < had - _LOST_ZEROS:
        said.append(f"{had:.1%} zeros became {has:.1%}")
    if is_clustered(old):
        # int8 scales each channel of a convolution by itself: one value of all becomes one in each channel.
        whole = _share(old)
        allowed = distinct(old) if whole else max(map(distinct, _channels(old)))
        by_channel = not whole or (new.dtype == np.int8 and new.ndim > _KERNEL_AXES)
        found = max(map(distinct, _channels(new))) if by_channel else distinct(new)
        if found > allowed:
            said.append(f"{allowed} shared values became {found}")
    return said


def _share(array: NDArray[Any]) -> bool:
    own = array[array != 0]
    # Weights that were only trained are all different.
    return bool(distinct(own) <= min(_QUANTIZED_LEVELS, own.size // 2))


def _channels(array: NDArray[Any]) -> NDArray[Any]:
    return array.reshape(-1, array.shape[-1]).T


def _quantized(wrapper: Any) -> list[NDArray[Any]]:
    """Return the integers behind the weights that a quantization-aware layer computes with."""
    arrays = []
    for weight, quantizer, variables in wrapper._weight_vars:  # noqa: SLF001 - tfmot has no public way to them
        seen = np.asarray(quantizer(weight, training=False, weights=variables))
        step = (np.asarray(variables["max_var"]) - np.asarray(variables["min_var"])) / (_QUANTIZED_LEVELS - 2)
        arrays.append(np.rint(seen / np.where(step > 0, step, 1)).astype(np.int8))
    return arrays


def _zeros(arrays: list[NDArray[Any]]) -> int:
    return sum(int(array.size - np.count_nonzero(array)) for array in arrays)


def _size(arrays: list[NDArray[Any]]) -> int:
    return sum(array.size for array in arrays)
