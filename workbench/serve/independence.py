"""Whether a model answers each sample as if it were alone.

Most do. One whose layers look at the whole batch (dynamic quantization takes its scale from it, normalisation its mean)
answers a sample differently in other company, and then requests of different clients must not share a run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from workbench.serve.engines.base import Engine
    from workbench.serve.signature import Signature

    Arrays = dict[str, np.ndarray[Any, Any]]

_RELATIVE, _ABSOLUTE = 1e-3, 1e-4
_LARGE_ELEMENTS = 1 << 22


def answers_each_alone(engine: Engine, name: str) -> bool:
    """Ask a model for two samples of noise together and one by one.

    Args:
        engine: An open model.
        name: A signature whose batch is free.

    Returns:
        False where the answers differ by more than rounding; True also where noise is nothing that it can be asked.
    """
    noise = _noise(engine.signatures[name])
    if noise is None:
        return True
    try:
        together = engine.run(name, noise)
        alone = [engine.run(name, {key: array[i : i + 1] for key, array in noise.items()}) for i in range(2)]
    except Exception:  # noqa: BLE001 - engines raise classes of their own, and noise may be no input at all
        return True
    return all(_same(array, [one[key] for one in alone]) for key, array in together.items())


def _noise(signature: Signature) -> Arrays | None:
    generator = np.random.default_rng(0)
    noise = {}
    for tensor in signature.inputs:
        shape = (2, *tensor.shape[1:])
        if -1 in shape or tensor.dtype == "string" or np.prod(shape) > _LARGE_ELEMENTS:
            return None
        values = generator.random(shape)
        values[1] *= 4.0  # a shared scale or mean is seen best where the samples' ranges differ
        noise[tensor.name] = values.astype(tensor.dtype)
    return noise


def _same(together: np.ndarray[Any, Any], alone: list[np.ndarray[Any, Any]]) -> bool:
    parts = [array for array in alone if array.ndim]
    if len(parts) != len(alone) or not together.ndim:
        return False
    apart = np.concatenate(parts)
    if apart.shape != together.shape:
        return False
    if together.dtype.kind != "f":
        return bool(np.array_equal(together, apart))
    return bool(np.allclose(together, apart, rtol=_RELATIVE, atol=_ABSOLUTE, equal_nan=True))
