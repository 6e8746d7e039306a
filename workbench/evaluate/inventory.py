"""What lies in a model file: every constant tensor with its bits, bytes, zeros and distinct values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.core.records import Inventory, TensorFacts
from workbench.evaluate.distinct import distinct
from workbench.evaluate.tensors.base import readers

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact
    from workbench.evaluate.tensors.base import StoredTensor

# Shapes, paddings and biases of quantised graphs are int32/int64; weights never are.
_WEIGHTS = (np.float16, np.float32, np.float64, np.int8, np.uint8, np.int16)
_NOT_WEIGHTS = {"optimizer", "metrics"}


def inventory(artifact: Artifact) -> Inventory:
    """List the constant tensors of a model file, in the file's order; no framework is loaded.

    Raises:
        WorkspaceError: The file is missing, truncated or changed.
        BadInputError: Nothing here reads the format.
        MissingExtraError: A `.keras` file needs h5py, which the extra `train` brings.
    """
    artifact.verify()
    tensors = [_facts(each) for each in readers.get(artifact.format)().read(artifact.path)]
    prunable = [each for each in tensors if each.prunable]
    count = sum(each.elements for each in prunable)
    zeros = sum(each.zeros for each in prunable)
    return Inventory(
        artifact=artifact.sha256,
        tensors=tuple(tensors),
        parameters=sum(each.elements for each in tensors if each.weights),
        bytes=sum(each.bytes for each in tensors),
        sparsity=zeros / count if count else 0.0,
    )


def _facts(tensor: StoredTensor) -> TensorFacts:
    values = tensor.values
    weights = values.dtype.type in _WEIGHTS and _NOT_WEIGHTS.isdisjoint(tensor.name.split("/"))
    return TensorFacts(
        name=tensor.name,
        shape=tuple(values.shape),
        dtype=values.dtype.name,
        bits=8 * values.dtype.itemsize,
        bytes=values.nbytes,
        elements=values.size,
        zeros=int(np.count_nonzero(values == tensor.zero)),
        unique=distinct(values),
        weights=weights,
        prunable=weights and values.ndim >= 2,  # noqa: PLR2004 - kernels, not biases
    )
