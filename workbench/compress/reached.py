"""What a compression reached, measured on the weights themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.errors import WorkbenchError

_KERNEL_AXES = 2
_WRAPPERS = ("PruneLowMagnitude", "ClusterWeights", "QuantizeWrapper", "QuantizeWrapperV2")


def kernel_sparsity(model: Any) -> tuple[float, dict[str, float]]:
    """Return the share of zeros in all kernels of a Keras model and in each layer's, by the layer's name."""
    kernels = {
        layer.name: [np.asarray(weight) for weight in layer.get_weights() if np.ndim(weight) >= _KERNEL_AXES]
        for layer in model.layers
    }
    layers = {name: _zeros(arrays) / _size(arrays) for name, arrays in kernels.items() if arrays}
    every = [array for arrays in kernels.values() for array in arrays]
    return (_zeros(every) / _size(every) if every else 0.0), layers


def wrapped_layers(model: Any) -> list[str]:
    """Return the names of the layers that have a compression library's wrapper."""
    return [layer.name for layer in model.layers if type(layer).__name__ in _WRAPPERS]


def require_unwrapped(model: Any) -> None:
    """Refuse a model that still has the wrappers of a compression library.

    Raises:
        WorkbenchError: Naming the layers.
    """
    if left := wrapped_layers(model):
        raise WorkbenchError(f"{', '.join(left)} must have lost the wrappers after stripping; report this as a bug.")


def _zeros(arrays: list[np.ndarray]) -> int:
    return sum(int(array.size - np.count_nonzero(array)) for array in arrays)


def _size(arrays: list[np.ndarray]) -> int:
    return sum(array.size for array in arrays)
