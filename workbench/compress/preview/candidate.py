"""A model with other weights: its file's bytes and its answers, without a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.compress.preview.perturb import Kernel
from workbench.compress.preview.stored import Stored
from workbench.compress.preview.weight_map import read
from workbench.compress.preview.whole_numbers import FOUR, WholeNumbers
from workbench.core.errors import BadInputError
from workbench.evaluate.packing import Packer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from workbench.compress.preview.perturb import Perturbed
    from workbench.compress.preview.weight_map import MappedKernel
    from workbench.datasets import Dataset

_HALF = 0.5


class Original:
    """The ONNX file whose weights change; read once."""

    def __init__(self, data: bytes, mapped: Sequence[MappedKernel]) -> None:
        self.kernels = tuple(Kernel(each, read(data, each.place)) for each in mapped)
        self._floats = Packer(data, "onnx")
        self._whole = {bits > FOUR: WholeNumbers(data, mapped, bits) for bits in (FOUR, 2 * FOUR)}

    def with_weights(self, perturbed: Sequence[Perturbed]) -> Candidate:
        """Return the model with other values for the mapped kernels, in their order."""
        changed = {
            kernel.mapped.place.name: each.values
            for kernel, each in zip(self.kernels, perturbed, strict=True)
            if each.values is not kernel.stored
        }
        return Candidate(Stored(self._floats, changed), _zeros(perturbed))

    def with_bits(self, perturbed: Sequence[Perturbed], bits: int) -> Candidate:
        """Return the model whose kernels all have so few bits; its file stores them as whole numbers."""
        numbers = self._whole[bits > FOUR]
        whole = [each.whole for each in perturbed if each.whole is not None]
        return self.with_weights(perturbed)._replace(whole=numbers.stored(whole), kind=numbers.kind)


class Candidate(NamedTuple):
    """One set of weights.

    Attributes:
        floats: The file with float32 weights, which answers.
        zeros: Share of zeros among the weights of all mapped kernels.
        whole: The file with the same weights as whole numbers; None where they are floats.
        kind: What the weights are stored as.
    """

    floats: Stored
    zeros: float
    whole: Stored | None = None
    kind: str = "float32"

    @property
    def stored(self) -> Stored:
        """The file that one would write."""
        return self.whole or self.floats

    def answering(self) -> Answering:
        """Open it in onnxruntime."""
        return Answering(self.floats.data)


def _zeros(perturbed: Sequence[Perturbed]) -> float:
    return sum(each.zeros for each in perturbed) / max(1, sum(each.values.size for each in perturbed))


class Answering:
    """An onnxruntime session on a file's bytes.

    The weights are replaced in the bytes and not through `SessionOptions.add_initializer`: onnxruntime 1.32 lays
    convolutions out anew (NCHWc) from the weights in the file and so answers with the old ones.
    """

    def __init__(self, data: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # Several threads ask one session for a batch each: the caller's threads are the only ones.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._output = [self._session.get_outputs()[0].name]

    def outputs(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Answer a batch; several threads may ask at once."""
        (outputs,) = self._session.run(self._output, {self._input: images})
        return np.asarray(outputs)


def labels_of(outputs: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the predicted classes of (samples, classes) outputs, or of one column of the second class' probability."""
    if outputs.shape[1] == 1:
        return (outputs[:, 0] > _HALF).astype(np.int64)
    return np.asarray(outputs.argmax(axis=1))


def require_classes(data: bytes, dataset: Dataset) -> None:
    """Refuse a dataset of other classes than the model's.

    Args:
        data: The ONNX file.
        dataset: What it is to answer.

    Raises:
        BadInputError: They are others.
    """
    columns, classes = Answering(data).outputs(dataset.floats("test", slice(0, 1))).shape[-1], len(dataset.classes)
    # One column is the second of two classes.
    if columns != classes and (columns, classes) != (1, 2):
        raise BadInputError.of(
            "dataset", rule=f"must have as many classes as the model has outputs ({columns})", got=classes,
            hint="open the model with the data that it was trained for",
        )  # fmt: skip
