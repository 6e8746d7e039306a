"""Count a network's parameters on paper, layer by layer, before anything is built."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Self


@dataclass(frozen=True)
class Tally:
    """What has been counted so far.

    Attributes:
        shape: Of one sample where the next layer begins: (H, W, C) of images, (units,) after a dense layer.
        parameters: Weights and biases of the layers so far.
    """

    shape: tuple[int, ...]
    parameters: int = 0

    def conv(self, filters: int, kernel: int, *, same: bool = False) -> Self:
        """Add a square convolution with bias and stride 1, padded to keep the size where `same`."""
        height, width, channels = self.shape
        lost = 0 if same else kernel - 1
        added = (kernel * kernel * channels + 1) * filters
        return replace(self, shape=(height - lost, width - lost, filters), parameters=self.parameters + added)

    def pool(self) -> Self:
        """Halve both sides, as a 2x2 pool does: an odd last row or column is dropped."""
        height, width, channels = self.shape
        return replace(self, shape=(height // 2, width // 2, channels))

    def dense(self, units: int) -> Self:
        """Flatten and add a dense layer with bias."""
        added = (prod(self.shape) + 1) * units
        return replace(self, shape=(units,), parameters=self.parameters + added)
