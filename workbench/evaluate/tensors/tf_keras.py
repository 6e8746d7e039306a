"""Weights of a `.keras` archive of tf_keras."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import MissingExtraError
from workbench.evaluate.tensors.base import StoredTensor, TensorReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_WEIGHT = re.compile(r"layers/([^/]+)/(layer/)?vars/(\d+)")
_KERNEL_AXES = 2


class TfKerasTensors(TensorReader):
    """Reads `.keras` with h5py; optimizer slots come as `optimizer/…`."""

    def read(self, path: Path) -> Iterator[StoredTensor]:
        """Give weights as `<layer name>/<number>`, then what else is in the archive.

        Weights of a wrapped layer have the layer's own name; the wrapper's are `<wrapper's name>/<number>`.

        Raises:
            MissingExtraError: h5py is not installed.
        """
        try:
            import h5py
        except ImportError:
            raise MissingExtraError.of("Reading the weights of a .keras file", "h5py", "train") from None
        with zipfile.ZipFile(path) as archive:
            layers = _layers(json.loads(archive.read("config.json")))
            content = io.BytesIO(archive.read("model.weights.h5"))
        found: dict[str, np.ndarray[Any, Any]] = {}
        with h5py.File(content) as file:
            file.visititems(
                lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
            )
        taken = _taken_over(found, layers)
        for name, values in found.items():
            yield StoredTensor(_readable(name, layers, taken), np.asarray(values))


@dataclass(frozen=True)
class _Layer:
    name: str
    inner: str  # of the layer inside a wrapper
    quantized: bool


def _taken_over(found: Mapping[str, NDArray[Any]], layers: Mapping[str, _Layer]) -> dict[str, list[str]]:
    """Return, by layer of the archive, the kernels that a quantize wrapper holds in place of the layer inside it."""
    taken: defaultdict[str, list[str]] = defaultdict(list)
    for name, values in found.items():
        match = _WEIGHT.fullmatch(name)
        if match is None or match[2] or match[1] not in layers or values.ndim < _KERNEL_AXES:
            continue
        if layers[match[1]].quantized:
            taken[match[1]].append(name)
    return taken


def _readable(name: str, layers: Mapping[str, _Layer], taken: Mapping[str, list[str]]) -> str:
    match = _WEIGHT.fullmatch(name)
    if match is None or match[1] not in layers:
        return name.replace("/vars/", "/")
    layer, kernels, number = layers[match[1]], taken.get(match[1], []), int(match[3])
    if name in kernels:
        return f"{layer.inner}/{kernels.index(name)}"
    # In the layer itself, they come after its kernels.
    return f"{layer.inner}/{len(kernels) + number}" if match[2] else f"{layer.name}/{number}"


def _layers(config: dict[str, Any]) -> dict[str, _Layer]:
    """Map `conv2d_1` (the archive numbers each class' layers) to the layer."""
    counts: Counter[str] = Counter()
    layers = {}
    for layer in config["config"].get("layers", ()):
        snake = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", layer["class_name"])
        snake = re.sub("([a-z])([A-Z])", r"\1_\2", snake).lower()
        number = counts[snake]
        counts[snake] += 1
        inner = (layer["config"].get("layer") or {}).get("config", {}).get("name", "")
        layers[f"{snake}_{number}" if number else snake] = _Layer(
            layer["config"].get("name", snake), inner, layer["class_name"].startswith("QuantizeWrapper")
        )
    return layers
