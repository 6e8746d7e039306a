"""Weights that nothing can be calculated with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def require_finite(path: Path, name: str, values: NDArray[Any]) -> None:
    """Refuse weights with NaN or infinity in them.

    Infinity alone, or beside one other value, is no weight: masks of attention and bounds of a clip look so.

    Args:
        path: The model, for the sentence.
        name: The tensor's.
        values: Of any numeric type; integers are always finite.

    Raises:
        BadInputError: Naming the tensor.
    """
    if values.dtype.kind in "iub" or np.isfinite(values).all():
        return
    count = int(np.isnan(values).sum())
    if not count:
        rest = values[np.isfinite(values)]
        if not rest.size or (rest == rest[0]).all():
            return
    what = f"{count} NaN" if count else f"{int(np.isinf(values).sum())} infinite values"
    raise BadInputError.of(
        str(path), rule="must have finite weights", got=f"{what} in {name}", hint="the training that made it diverged"
    )
