"""What lies in a model file."""

from __future__ import annotations

from workbench.core.records.base import Record


class Sizes(Record):
    """Bytes on disk: as they are, gzip'd as the command does it, and entropy-coded (None where not measured)."""

    raw: int
    gzip: int
    packed: int | None = None


class TensorFacts(Record):
    """One constant tensor of a model file.

    Attributes:
        name: What the file calls it.
        shape: Its axes.
        dtype: As stored.
        bits: Bits an element.
        bytes: Bytes of its values, without the file's own structure.
        elements: How many.
        zeros: How many of them are zero (the zero point, where quantised).
        unique: Distinct stored values.
        weights: False for shapes, paddings, optimizer slots and int32 biases.
        prunable: Weights with two axes or more: kernels.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    bits: int
    bytes: int
    elements: int
    zeros: int
    unique: int
    weights: bool
    prunable: bool

    @property
    def sparsity(self) -> float:
        """Share of zeros, in [0, 1]."""
        return self.zeros / self.elements if self.elements else 0.0


class Inventory(Record):
    """All constant tensors of a model file.

    Attributes:
        artifact: sha256 of the model file.
        tensors: In the file's order.
        parameters: Elements of the weights.
        bytes: Bytes of all tensors.
        sparsity: Share of zeros among the prunable weights.
    """

    artifact: str
    tensors: tuple[TensorFacts, ...]
    parameters: int
    bytes: int
    sparsity: float
