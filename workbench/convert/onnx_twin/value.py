"""A tensor of the ONNX graph as a Keras tensor, whose axes may come in another order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Folded:
    """What a flattened tensor was: its features come in that order, not in ONNX'.

    Attributes:
        shape: Of one sample before.
        axes: As in `Value`, before.
    """

    shape: tuple[int, ...]
    axes: tuple[int | None, ...]

    @property
    def order(self) -> NDArray[np.int64]:
        """For each of ONNX' features, which one of the Keras tensor it is."""
        held = [axis - 1 for axis in self.axes[1:] if axis is not None]
        held += [axis for axis in range(len(self.shape)) if axis not in held]
        return np.arange(int(np.prod(self.shape))).reshape(self.shape).transpose(held).reshape(-1)


@dataclass(frozen=True)
class Value:
    """One tensor of the ONNX graph.

    Transposing it only renames its axes: a graph with channels first becomes layers with channels last, and no layer
    that moves data is left over. Axes of length 1 may be in one of both only.

    Attributes:
        tensor: Of Keras; axis 0 is the batch in both.
        axes: For each axis in ONNX, the axis of `tensor`; None for one of length 1 that `tensor` does not have.
        folded: Where features come in another order than in ONNX, what they were.
    """

    tensor: Any
    axes: tuple[int | None, ...]
    folded: Folded | None = None

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Its shape in ONNX; None is the batch."""
        return tuple(1 if axis is None else self.tensor.shape[axis] for axis in self.axes)

    @property
    def rank(self) -> int:
        """Count of its axes in ONNX."""
        return len(self.axes)

    def on(self, tensor: Any) -> Value:
        """Return another tensor of the same shape and order."""
        return Value(tensor, self.axes, self.folded)

    def long_axes(self) -> list[int]:
        """Return ONNX' axes whose length is not 1, the batch first."""
        return [axis for axis, length in enumerate(self.shape) if length != 1]
