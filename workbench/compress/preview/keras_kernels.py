"""Kernels of a `.keras` file and the scales of its batch norms, read without TensorFlow."""

from __future__ import annotations

import json
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError
from workbench.evaluate.tensors.tf_keras import TfKerasTensors

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_KERNEL_AXES = 2
_NOT_OF_THE_MODEL = ("optimizer", "metrics")
# Which of a layer's kernels TensorFlow Model Optimization prunes and clusters (its prune_registry and
# clustering_registry agree on these).
_COMPRESSED = {
    **dict.fromkeys(("Conv1D", "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose", "Dense", "Embedding"), 0),
    **dict.fromkeys(("SeparableConv1D", "SeparableConv2D"), 1),
}


@dataclass(frozen=True)
class KerasKernel:
    """One kernel as Keras holds it.

    Attributes:
        layer: The layer's name.
        weight: The weight's name in the file, `<layer>/<number>`.
        kind: The layer's class, e.g. `Conv2D`; empty where the file's description does not say.
        values: float32, in Keras' layout.
        compressed: Pruning and clustering take it; quantization takes all kernels.
    """

    layer: str
    weight: str
    kind: str
    values: NDArray[np.float32]
    compressed: bool

    def __repr__(self) -> str:
        return f"KerasKernel({self.weight}, {self.kind or 'unknown kind'}, {self.values.shape})"


@dataclass(frozen=True)
class KerasWeights:
    """What a weight map starts from.

    Attributes:
        kernels: Weights with two axes or more, in the model's order.
        norms: gamma / sqrt(variance + epsilon) a channel of each batch norm, by layer.
    """

    kernels: tuple[KerasKernel, ...]
    norms: dict[str, NDArray[np.float32]]


def read_keras_weights(path: Path) -> KerasWeights:
    """Read a `.keras` file of tf_keras.

    Raises:
        MissingExtraError: h5py is not installed.
        BadInputError: It holds no kernel.
    """
    with zipfile.ZipFile(path) as archive:
        layers = json.loads(archive.read("config.json"))["config"].get("layers", ())
    kinds = {layer["config"].get("name", ""): layer["class_name"] for layer in layers}
    epsilons = {name: layer["config"].get("epsilon") for name, layer in zip(kinds, layers, strict=True)}
    weights: dict[str, list[NDArray[np.float32]]] = defaultdict(list)
    for tensor in TfKerasTensors().read(path):
        layer, _, number = tensor.name.rpartition("/")
        if tensor.name.split("/")[0] not in _NOT_OF_THE_MODEL and number.isdigit():
            weights[layer].append(np.asarray(tensor.values, np.float32))
    order = {name: number for number, name in enumerate(kinds)}
    named = sorted(weights.items(), key=lambda item: order.get(item[0], len(order)))
    kernels = tuple(kernel for name, arrays in named for kernel in _kernels(name, kinds.get(name, ""), arrays))
    if not kernels:
        raise BadInputError.of("artifact", rule="must have a layer with a kernel", got=sorted(kinds.values()))
    norms = {
        name: _norm_scale(arrays, float(epsilons[name]), _config(layers, name))
        for name, arrays in named
        if kinds.get(name) == "BatchNormalization"
    }
    return KerasWeights(kernels, norms)


def _kernels(layer: str, kind: str, arrays: list[NDArray[np.float32]]) -> list[KerasKernel]:
    taken = _COMPRESSED.get(kind)
    return [
        KerasKernel(layer, f"{layer}/{number}", kind, array, compressed=number == taken)
        for number, array in enumerate(arrays)
        if array.ndim >= _KERNEL_AXES
    ]


def _norm_scale(arrays: list[NDArray[np.float32]], epsilon: float, config: dict[str, Any]) -> NDArray[np.float32]:
    # In the file: gamma and beta where the layer has them, then mean and variance.
    scale = 1 / np.sqrt(arrays[-1].astype(np.float64) + epsilon)
    return np.asarray(scale * (arrays[0] if config.get("scale", True) else 1), np.float32)


def _config(layers: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next((layer["config"] for layer in layers if layer["config"].get("name") == name), {})
