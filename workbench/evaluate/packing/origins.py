"""Channels of bytes that are counted from an origin of their own: kernels quantised with a zero point a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.evaluate.packing.coder import DamagedError
from workbench.evaluate.packing.positions import LONG_ROWS, SHORT_ROWS, layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.evaluate.packing.coder import PackReader, PackWriter

_BYTES = 256
# How many more values must be alike with origins of their own, for it to be worth a try.
_GAIN = 1.1


class Origins(NamedTuple):
    """The most frequent byte of each channel; `mode` says which axis the channels are."""

    mode: int
    values: NDArray[np.uint8]

    def taken_off(self, words: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """Return bytes counted from their channel's origin, modulo 256."""
        return np.asarray(words.reshape(shape) - self._along(shape), np.uint8).ravel()

    def put_back(self, words: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """Undo `taken_off`."""
        return np.asarray(words.reshape(shape) + self._along(shape), np.uint8).ravel()

    def write(self, writer: PackWriter) -> None:
        """Store them."""
        writer.plan.append(self.mode)
        writer.plan += self.values.tobytes()

    def _along(self, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        plan = layout(shape, self.mode)
        if plan is None:
            raise DamagedError("a tensor without channels has origins of channels")
        return self.values.reshape([-1 if axis == plan.axes[0] else 1 for axis in range(len(shape))])


def origins_of(words: NDArray[Any], shape: tuple[int, ...]) -> list[Origins]:
    """Return the ways to give channels their own origins by which notably more values become alike."""
    found = []
    alike = np.bincount(words, minlength=_BYTES).max()
    for mode in (LONG_ROWS, SHORT_ROWS):
        plan = layout(shape, mode)
        if plan is None:
            continue
        rows = words.reshape(shape).transpose(plan.axes).reshape(plan.rows, -1)
        places = np.arange(plan.rows)[:, None] * _BYTES + rows
        counts = np.bincount(places.ravel(), minlength=plan.rows * _BYTES).reshape(plan.rows, _BYTES)
        if counts.max(axis=1).sum() > _GAIN * alike:
            found.append(Origins(mode, counts.argmax(axis=1).astype(np.uint8)))
    return found


def read_origins(reader: PackReader, shape: tuple[int, ...]) -> Origins:
    """Read the origins of a tensor's channels."""
    mode = reader.raw(1)[0]
    plan = layout(shape, mode) if mode in (LONG_ROWS, SHORT_ROWS) else None
    if plan is None:
        raise DamagedError("a tensor without channels has origins of channels")
    return Origins(mode, np.frombuffer(reader.raw(plan.rows), np.uint8))
