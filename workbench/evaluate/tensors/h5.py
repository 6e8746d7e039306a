"""Weights of a legacy `.h5` model file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import MissingExtraError
from workbench.evaluate.tensors.base import StoredTensor, TensorReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class H5Tensors(TensorReader):
    """Reads `.h5` with h5py; optimizer slots come as `optimizer/…`."""

    def read(self, path: Path) -> Iterator[StoredTensor]:
        """Give weights as `<layer name>/<number>`, as those of a `.keras` file are called.

        Raises:
            MissingExtraError: h5py is not installed.
        """
        try:
            import h5py
        except ImportError:
            raise MissingExtraError.of("Reading the weights of an .h5 file", "h5py", "train") from None
        with h5py.File(path, "r") as file:
            layers = file["model_weights"]
            for layer in _names(layers, "layer_names"):
                for number, weight in enumerate(_names(layers[layer], "weight_names")):
                    yield StoredTensor(f"{layer}/{number}", np.asarray(layers[layer][weight][()]))
            if "optimizer_weights" in file:
                slots = file["optimizer_weights"]
                for number, slot in enumerate(_names(slots, "weight_names")):
                    yield StoredTensor(f"optimizer/{number}", np.asarray(slots[slot][()]))


def _names(group: Any, attribute: str) -> list[str]:
    # Keras cuts a list that is too long for one attribute into `layer_names0`, `layer_names1`, …
    if attribute in group.attrs:
        found = list(group.attrs[attribute])
    else:
        found, number = [], 0
        while f"{attribute}{number}" in group.attrs:
            found += list(group.attrs[f"{attribute}{number}"])
            number += 1
    return [each.decode() if isinstance(each, bytes) else str(each) for each in found]
