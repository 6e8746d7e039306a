"""What all tensor readers have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

from workbench.core.plugins import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


class StoredTensor(NamedTuple):
    """One constant tensor as the file stores it.

    Attributes:
        name: What the file calls it; a group comes first, e.g. `optimizer/…`.
        values: As stored: floats, or the integers of a quantised tensor.
        zero: The stored value that means 0, a scalar or an array that broadcasts.
    """

    name: str
    values: NDArray[np.generic]
    zero: NDArray[np.int64] | int = 0


class TensorReader(ABC):
    """Reads one format."""

    @abstractmethod
    def read(self, path: Path) -> Iterator[StoredTensor]:
        """Give the tensors of a file that its manifest vouches for."""


readers: Registry[TensorReader] = Registry(
    "tensor_readers",
    "workbench.evaluate.tensors",
    TensorReader,  # type: ignore[type-abstract]
)
