"""Weights of a `.keras` archive of tf_keras."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import MissingExtraError
from workbench.evaluate.tensors.base import StoredTensor, TensorReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class TfKerasTensors(TensorReader):
    """Reads `.keras` with h5py; optimizer slots come as `optimizer/…`."""

    def read(self, path: Path) -> Iterator[StoredTensor]:
        """Give weights as `<layer name>/<number>`, then what else is in the archive.

        Raises:
            MissingExtraError: h5py is not installed.
        """
        try:
            import h5py
        except ImportError:
            raise MissingExtraError.of("Reading the weights of a .keras file", "h5py", "train") from None
        with zipfile.ZipFile(path) as archive:
            names = _layer_names(json.loads(archive.read("config.json")))
            content = io.BytesIO(archive.read("model.weights.h5"))
        found: dict[str, np.ndarray[Any, Any]] = {}
        with h5py.File(content) as file:
            file.visititems(
                lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
            )
        for name, values in found.items():
            yield StoredTensor(_readable(name, names), np.asarray(values))


def _readable(name: str, layers: dict[str, str]) -> str:
    match = re.fullmatch(r"layers/([^/]+)/vars/(\d+)", name)
    return f"{layers.get(match[1], match[1])}/{match[2]}" if match else name.replace("/vars/", "/")


def _layer_names(config: dict[str, Any]) -> dict[str, str]:
    """Map `conv2d_1` (the archive numbers each class' layers) to the layer's own name."""
    counts: Counter[str] = Counter()
    names = {}
    for layer in config["config"].get("layers", ()):
        snake = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", layer["class_name"])
        snake = re.sub("([a-z])([A-Z])", r"\1_\2", snake).lower()
        number = counts[snake]
        counts[snake] += 1
        names[f"{snake}_{number}" if number else snake] = layer["config"].get("name", snake)
    return names
