"""A model with other weights: its file's bytes and its answers, without a file."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.compress.preview.perturb import Kernel
from workbench.compress.preview.weight_map import read
from workbench.core.errors import BadInputError

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
        self.data = data
        self.kernels = tuple(Kernel(each, read(data, each.place)) for each in mapped)

    def with_weights(self, perturbed: Sequence[Perturbed]) -> Candidate:
        """Return the model with other values for the mapped kernels, in their order."""
        changed = [
            (kernel.mapped, each.values)
            for kernel, each in zip(self.kernels, perturbed, strict=True)
            if each.values is not kernel.stored
        ]
        return Candidate(self.data, changed)


class Candidate:
    """One set of weights."""

    def __init__(self, data: bytes, changed: Sequence[tuple[MappedKernel, NDArray[np.float32]]]) -> None:
        """Take the weights; nothing is computed yet.

        Args:
            data: The original file.
            changed: The kernels that changed, with the initializers' new values.
        """
        self._original = data
        self._changed = changed

    @cached_property
    def data(self) -> bytes:
        """The file with these weights, byte for byte what writing the changed graph would give."""
        patched = bytearray(self._original)
        for mapped, values in self._changed:
            patched[mapped.place.offset : mapped.place.end] = values.astype("<f4").tobytes()
        return bytes(patched)

    @property
    def initializers(self) -> dict[str, NDArray[np.float32]]:
        """The new values by the initializer's name."""
        return {mapped.place.name: values for mapped, values in self._changed}

    def answering(self) -> Answering:
        """Open it in onnxruntime."""
        return Answering(self.data)


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
