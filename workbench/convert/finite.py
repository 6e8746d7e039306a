"""Weights that are no numbers: a conversion of them succeeds, and its result answers nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.core.errors import BadInputError
from workbench.evaluate.tensors.base import readers

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact

# A graph holds constants besides weights, and minus infinity is one: it masks what attention must not see.
_GRAPHS = ("onnx", "tflite", "c_array", "torch", "packed")


def require_finite(artifact: Artifact) -> None:
    """Refuse a model with weights that are not finite; where only a graph is stored, with values that are no number.

    A format that no tensor reader knows is let pass.

    Raises:
        BadInputError: Naming the tensor.
    """
    if artifact.format not in readers.names():
        return
    graph = artifact.format in _GRAPHS
    for tensor in readers.get(artifact.format)().read(artifact.path):
        if tensor.values.dtype.kind != "f":
            continue
        odd = np.isnan(tensor.values) if graph else ~np.isfinite(tensor.values)
        if odd.any():
            raise BadInputError.of(
                tensor.name, rule="must hold finite numbers only to be converted",
                got=f"{int(odd.sum())} of {odd.size} that are not, in {artifact.file}",
                hint="train with a smaller learning rate, or go back to an earlier model",
            )  # fmt: skip
