"""Weights of a Keras model file, by layer, in the order in which the layer lists them."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from workbench.core.errors import MissingExtraError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from workbench.evaluate.graphs.keras_model import LayerCall

_NUMBERED = re.compile(r"(?:(.*)/)?vars/(\d+)")
# Layers inside a layer, in the order of its weights; an archive has them by alphabet.
_INSIDE = (
    "cell", "forward_layer/cell", "backward_layer/cell", "query_dense", "key_dense", "value_dense", "output_dense",
    "layer", "layer/cell",
)  # fmt: skip


class Held(NamedTuple):
    """A weight: its path inside the layer, such as `cell/vars/0` or `kernel:0`, and its values."""

    path: str
    name: str
    values: NDArray[Any]


class LayerWeights(Protocol):
    """What gives a layer's weights."""

    def of(self, call: LayerCall) -> list[Held]:
        """Return them in the layer's own order."""


class ArchiveWeights:
    """Weights of a `.keras` archive."""

    def __init__(self, path: Path) -> None:
        """Read all of them.

        Raises:
            MissingExtraError: h5py is not installed.
        """
        h5py = require_h5py("Reading the weights of a .keras file")
        with zipfile.ZipFile(path) as archive:
            content = io.BytesIO(archive.read("model.weights.h5"))
        self._found: dict[str, NDArray[Any]] = {}
        with h5py.File(content) as file:
            file.visititems(
                lambda name, item: (
                    self._found.update({name: np.asarray(item[()])})
                    if isinstance(item, h5py.Dataset) and name.startswith("layers/")
                    else None
                )
            )

    def of(self, call: LayerCall) -> list[Held]:
        """Return a layer's weights."""
        start = "/".join(f"layers/{folder}" for folder in call.held) + "/"
        # A layer with layers of its own may be a model inside a wrapper: only what no model's folder holds.
        names = [name for name in self._found if name.startswith(start)]
        held = [Held(name.removeprefix(start), name, self._found[name]) for name in names]
        return sorted(held, key=_place)


def _place(held: Held) -> tuple[int, str, int]:
    match = _NUMBERED.fullmatch(held.path)
    if match is None:
        return len(_INSIDE) + 1, held.path, 0
    inside = (match[1] or "").lstrip("_")
    if not inside:
        return -1, "", int(match[2])
    return _INSIDE.index(inside) if inside in _INSIDE else len(_INSIDE), inside, int(match[2])


class H5Weights:
    """Weights of a legacy `.h5` file."""

    def __init__(self, file: Any) -> None:
        """Read all of them from an open HDF5 file."""
        self._found: dict[str, list[tuple[str, NDArray[Any]]]] = {}
        groups = file.get("model_weights", {})
        for layer in groups:
            names = [_text(name) for name in groups[layer].attrs.get("weight_names", ())]
            self._found[layer] = [(name, np.asarray(groups[layer][name][()])) for name in names]

    def of(self, call: LayerCall) -> list[Held]:
        """Return a layer's weights; those of a model inside the model lie with the outer layer, named for the inner."""
        outer, own = call.named[0], call.named[-1]
        found = [(name, values) for name, values in self._found.get(outer, ())]
        if len(call.named) > 1:
            found = [(name, values) for name, values in found if own in name.split("/")]
        return [Held(name.removeprefix(f"{own}/"), name, values) for name, values in found]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def require_h5py(what: str) -> Any:
    """Return h5py.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import h5py
    except ImportError:
        raise MissingExtraError.of(what, "h5py", "train") from None
    return h5py
