"""What a model takes, asked once: protocols other than REST want each array's name and exact type."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbench.serve.client.face import Array, Who
    from workbench.serve.signature import Tensor

    Read = Callable[[Who, float], tuple[Tensor, ...]]


class Signatures:
    """Remembers the inputs of each version that was asked; may be used from many threads."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._known: dict[Who, tuple[Tensor, ...]] = {}
        self._lock = threading.Lock()

    def inputs(self, who: Who, seconds: float) -> tuple[Tensor, ...]:
        """Return the inputs of a signature.

        Raises:
            RefusedError: The server does not tell.
        """
        found = self._known.get(who)
        if found is None:
            found = self._read(who, seconds)
            with self._lock:
                self._known[who] = found
        return found

    def forget(self, who: Who) -> None:
        """Ask anew next time: a new version may take something else."""
        with self._lock:
            self._known.pop(who, None)


def named(inputs: Array | Mapping[str, Array], tensors: tuple[Tensor, ...]) -> dict[str, Array]:
    """Return the arrays by name, in the model's types where nothing is lost by that but digits.

    Args:
        inputs: One array for a model's one input, or one by name; what the model does not know is left to the server.
        tensors: The model's inputs.

    Raises:
        BadInputError: One array is given to a model that takes several.
    """
    if isinstance(inputs, np.ndarray):
        if len(tensors) != 1:
            names = ", ".join(sorted(tensor.name for tensor in tensors)) or "what the server does not tell"
            raise BadInputError.of(
                "inputs", rule=f"must be named, since the model takes {names}", got="one array",
                hint="give them as {name: array}",
            )  # fmt: skip
        inputs = {tensors[0].name: inputs}
    dtypes = {tensor.name: tensor.dtype for tensor in tensors}
    return {name: _typed(array, dtypes.get(name)) for name, array in inputs.items()}


def _typed(array: Array, dtype: str | None) -> Array:
    if dtype is None or dtype == "string" or array.dtype.kind in "OSU":
        return array
    return array.astype(dtype) if np.can_cast(array.dtype, dtype, "same_kind") else array
