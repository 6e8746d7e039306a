"""Other weights for one initializer: some zero, some shared, fewer bits; without fine-tuning."""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workbench.compress.one_threshold import over_rms
from workbench.compress.sorted_clusters import centroids_of, nearest_in_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.compress.preview.weight_map import MappedKernel

_REMEMBERED = 16


class LayerSetting(NamedTuple):
    """What is done to one kernel.

    Attributes:
        sparsity: Share of its weights to set to zero.
        clusters: Distinct values, zero counted where there are zeros; None leaves them.
        bits: Bits a weight, symmetric, one scale an output channel; None leaves them.
    """

    sparsity: float = 0.0
    clusters: int | None = None
    bits: int | None = None


class Whole(NamedTuple):
    """Weights as whole numbers.

    Attributes:
        integers: Of any shape.
        scales: What they are multiplied with, one an output channel; broadcasts.
    """

    integers: NDArray[np.int8]
    scales: NDArray[np.float32]

    @property
    def values(self) -> NDArray[np.float32]:
        """The real values that they stand for."""
        return np.asarray(self.integers * self.scales, np.float32)


class Perturbed(NamedTuple):
    """An initializer with other values, how many of them are zero, and the whole numbers behind them, if there are."""

    values: NDArray[np.float32]
    zeros: int
    whole: Whole | None = None


class Kernel:
    """One mapped kernel with what is worth computing once: its weights in order.

    While another layer's slider moves, this one's last results are at hand.
    """

    def __init__(self, mapped: MappedKernel, stored: NDArray[np.float32]) -> None:
        """Prepare it.

        Args:
            mapped: Where it is in the file.
            stored: The initializer's values.
        """
        self.mapped = mapped
        self.stored = stored
        self.layout = mapped.layout
        self._results: OrderedDict[LayerSetting, Perturbed] = OrderedDict()

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Where its weights lie, the smallest first."""
        return np.argsort(self.layout, axis=None, kind="stable")

    @cached_property
    def ordered(self) -> NDArray[np.float32]:
        """Its weights, ascending."""
        return self.layout.reshape(-1)[self.order]

    @cached_property
    def relative(self) -> NDArray[np.float64]:
        """Its weights' magnitudes over their root mean square, flat."""
        return over_rms(np.abs(self.layout).reshape(-1))

    @cached_property
    def unchanged(self) -> Perturbed:
        """The initializer as it is in the file."""
        return Perturbed(self.stored, self.stored.size - int(np.count_nonzero(self.stored)))

    @cached_property
    def ranks(self) -> NDArray[np.int64]:
        """Each weight's place by magnitude, the largest first, in the initializer's layout."""
        values = self.mapped.kernel.values
        places = np.empty(values.size, np.int64)
        places[np.argsort(-np.abs(values), axis=None, kind="stable")] = np.arange(values.size)
        return np.ascontiguousarray(places.reshape(values.shape).transpose(self.mapped.axes).reshape(self.layout.shape))

    def mask(self, sparsity: float) -> NDArray[np.bool_]:
        """Return which weights stay, in the initializer's layout.

        As in our pruning with TensorFlow Model Optimization: round(weights x (1 - sparsity)) of them, at least one; of
        equal ones those that come first in Keras.
        """
        return self.ranks < max(1, round(self.layout.size * (1 - sparsity)))

    def perturbed(self, setting: LayerSetting) -> Perturbed:
        """Return the initializer's values under a setting, from memory where it was asked lately."""
        if setting == LayerSetting():
            return self.unchanged
        found = self._results.pop(setting, None) or self._perturb(setting)
        self._results[setting] = found
        if len(self._results) > _REMEMBERED:
            self._results.popitem(last=False)
        return found

    def _perturb(self, setting: LayerSetting) -> Perturbed:
        if setting.clusters is None:
            # The weights that stay are the file's own, to the last bit.
            values = (
                np.where(self.mask(setting.sparsity), self.stored, np.float32(0)) if setting.sparsity else self.stored
            )
        else:
            values = self._shared(setting.clusters, setting.sparsity) * self.mapped.scale
        whole = None if setting.bits is None else whole_numbers(values, setting.bits, self.mapped.channel_axis)
        values = np.ascontiguousarray(values if whole is None else whole.values, np.float32)
        return Perturbed(values, values.size - int(np.count_nonzero(values)), whole)

    def _shared(self, clusters: int, sparsity: float) -> NDArray[np.float32]:
        """Return the weights with few values."""
        ordered, places = self.ordered, self.order
        if sparsity:
            stays = self.mask(sparsity).reshape(-1)[places]
            ordered, places = ordered[stays], places[stays]
        zeros = len(places) < self.layout.size
        values = np.zeros(self.layout.size, np.float32)
        values[places] = nearest_in_order(ordered, centroids_of(ordered, clusters - int(zeros)))
        return values.reshape(self.layout.shape)


def whole_numbers(values: NDArray[np.float32], bits: int, channel_axis: int) -> Whole:
    """Round weights to `2**bits - 1` evenly spaced values around 0, one scale an output channel.

    Symmetric quantization as LiteRT and ONNX Runtime do it for weights.

    Args:
        values: Any shape.
        bits: 2 to 8.
        channel_axis: The axis that keeps a scale for each of its positions.
    """
    others = tuple(axis for axis in range(values.ndim) if axis != channel_axis)
    levels = np.float32(2 ** (bits - 1) - 1)
    scales = np.abs(values).max(axis=others, keepdims=True) / levels
    scales = np.where(scales > 0, scales, np.float32(1))
    return Whole(np.rint(values / scales).astype(np.int8), scales)
