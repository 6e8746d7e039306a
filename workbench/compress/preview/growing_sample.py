"""A test split in an order in which its beginning speaks for all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError
from workbench.datasets.content import as_floats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.datasets import Dataset

FIRST, SECOND = 250, 1000
_SEED = 0


@dataclass(frozen=True)
class GrowingSample:
    """Images and labels, prepared once.

    Attributes:
        stored: (samples, H, W, C) as the dataset has them: grey levels take a quarter of the memory of floats.
        labels: (samples,) int64.
        order: (samples,) each one's index in the test split.
    """

    stored: NDArray[Any]
    labels: NDArray[np.int64]
    order: NDArray[np.int64]

    @classmethod
    def of(cls, data: Dataset) -> GrowingSample:
        """Read the test split in its order.

        Raises:
            BadInputError: It is empty.
        """
        if not data.test_size:
            raise BadInputError.of("data", rule="must have test samples", got=0)
        order = stratified_order(data.labels("test"))
        return cls(np.asarray(data.x_test[order]), data.labels("test")[order], order)

    def __len__(self) -> int:
        return len(self.labels)

    def images(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return some images as a model takes them, float32 in [0, 1]."""
        return as_floats(self.stored[start:stop])

    def stops(self, limit: int | None = None) -> list[int]:
        """Return after how many images there is an answer: 250, 1,000, then twice as many each, then all.

        Args:
            limit: At most so many images; None is all.
        """
        total = min(limit or len(self), len(self))
        stops, step = [FIRST], SECOND
        while step < total:
            stops.append(step)
            step *= 2
        return [*(stop for stop in stops if stop < total), total]


def stratified_order(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a random order, always the same, in whose every beginning each class has about its share.

    Args:
        labels: (samples,) class indices.
    """
    draw = np.random.default_rng(_SEED)
    places = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        # Each class is spread evenly over [0, 1), shuffled within itself.
        places[draw.permutation(members)] = (np.arange(len(members)) + draw.random()) / len(members)
    return np.argsort(places, kind="stable")
